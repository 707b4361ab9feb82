/**
 * The IPC channel to the master: sends our messages, receives the master's, and notices when the master is gone.
 *
 * Several Node.js processes may have inherited it: in `node app.js | node pretty.js` both have. What one of them reads, the others
 * never get. So a process reads only when it is the worker, which is the process that listens, or the first of several
 * (channel-lock.ts); until then it looks now and then whether the master is still there. (Where it cannot see the master's pid, because the master is gone already or because this is another
 * PID namespace, it reads at once.)
 *
 * It never keeps the application alive, and leaves messages that are not ours to the application's own listeners.
 */
import { unwrap, wrap, type MasterMessage, type WorkerMessage } from '../../shared/protocol.ts';
import {
  noteWriteRequest,
  startReading,
  stopReading,
  watchOtherEnd,
} from '../node-internals/channel-handle.ts';
import { keepInPlace } from '../process/hidden-listeners.ts';
import { readMessage } from './read-message.ts';

// As they were before the application was loaded, which may have put others in their place.
const kill = process.kill.bind(process);
const { setInterval, clearInterval } = globalThis;

export interface ChannelEvents {
  /** `handle` is what came beside the message. */
  message(message: MasterMessage, handle: unknown): void;
  /** The other end is gone, and not because the application hung up. */
  gone(): void;
}

export interface Channel {
  /**
   * This process listens: from now on it reads what the master sends, unless another process of the worker does. Answers whether it
   * reads; a second call changes nothing when it does.
   */
  read(): boolean;
  /** The master is at the other end. */
  isOpen(): boolean;
  /** Resolves when the message is on its way, or cannot be sent: the latter is not an error here. */
  send(message: WorkerMessage): Promise<void>;
}

/** How often a process that does not read looks whether its master is still there. */
const lookIntervalMs = 2_000;

/** `takeLock`: see channel-lock.ts. */
export function openChannel(
  masterPid: number | null,
  takeLock: () => boolean,
  events: ChannelEvents,
): Channel {
  const isOtherEndGone = watchOtherEnd(() => {
    events.gone();
  });
  holdLine(isOtherEndGone);
  noteWriteRequest();
  keepInPlace('internalMessage', (value: unknown, handle: unknown) => {
    const message = readMessage(unwrap(value));
    if (message !== null) events.message(message, handle);
  });
  // From now on the application's listeners for 'message' do not ref it either: without a master there is no channel.
  process.channel?.unref();
  // Nothing was read yet: that takes a turn of the event loop.
  let isReading = masterPid === null || !isThere(masterPid) || stopReading() === null;
  const looking =
    isReading || masterPid === null
      ? null
      : lookForMaster(masterPid, () => {
          events.gone();
        });

  return {
    read() {
      if (isReading) return true;
      if (!takeLock()) return false;
      isReading = true;
      clearInterval(looking ?? undefined);
      startReading();
      return true;
    },
    isOpen: () => process.connected,
    send(message) {
      return new Promise((resolve) => {
        if (process.send === undefined || !process.connected) {
          resolve();
          return;
        }
        process.send(wrap(message), undefined, undefined, () => {
          resolve();
        });
      });
    },
  };
}

export function lookForMaster(masterPid: number, gone: () => void): NodeJS.Timeout {
  const looking = setInterval(() => {
    if (isThere(masterPid)) return;
    clearInterval(looking);
    gone();
  }, lookIntervalMs);
  return looking.unref();
}

function isThere(pid: number): boolean {
  try {
    return kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and this process runs as another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/**
 * An application that hangs up would never hear that it is admitted, nor that its master has died, and would hold the
 * port then. So it is told that it has hung up, and the channel stays: it does not keep the process alive.
 */
function holdLine(isOtherEndGone: () => boolean): void {
  const disconnect: unknown = Reflect.get(process, 'disconnect');
  if (typeof disconnect !== 'function') return;
  let isTold = false;
  process.disconnect = () => {
    if (isOtherEndGone()) {
      // It may be Node.js itself that calls: it does so when the other end is gone.
      Reflect.apply(disconnect, process, []);
    } else if (!isTold) {
      isTold = true;
      process.nextTick(() => process.emit('disconnect'));
    }
  };
}
