/**
 * The IPC channel to the master: sends the worker's messages, receives the master's, and notices when the master is gone.
 *
 * Several Node.js processes may have inherited the channel, as in `node app.js | node pretty.js`, and what one of them reads the others
 * never get. So a process reads only if it is the worker: the process that listens, or the first of several (channel-lock.ts). Until
 * then it checks from time to time whether the master is still alive. (It reads at once if it cannot see the master's pid, because the
 * master is gone already or lives in another PID namespace.)
 *
 * The channel never keeps the application alive, and leaves messages of others to the application's listeners.
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

// The functions as they were before the application was loaded, which may replace them.
const kill = process.kill.bind(process);
const { setInterval, clearInterval } = globalThis;

export interface ChannelEvents {
  /** Called for a message of the master. `handle` is the handle that arrived with it. */
  message(message: MasterMessage, handle: unknown): void;
  /** Called when the other end of the channel is gone, unless the application has disconnected. */
  gone(): void;
}

export interface Channel {
  /**
   * Call it when this process listens: from now on it reads what the master sends, unless another process of the worker does. Returns
   * whether it reads. Once it does, a further call changes nothing.
   */
  read(): boolean;
  /** True while the master is at the other end. */
  isOpen(): boolean;
  /** Resolves when the message is sent, or cannot be sent, which is not an error. */
  send(message: WorkerMessage): Promise<void>;
}

/** How often a process that does not read checks whether its master is alive. */
const lookIntervalMs = 2_000;

/** Opens the channel. `takeLock` is described in channel-lock.ts. */
export function openChannel(
  masterPid: number | null,
  takeLock: () => boolean,
  events: ChannelEvents,
): Channel {
  const isOtherEndGone = watchOtherEnd(() => {
    events.gone();
  });
  ignoreDisconnect(isOtherEndGone);
  noteWriteRequest();
  keepInPlace('internalMessage', (value: unknown, handle: unknown) => {
    const message = readMessage(unwrap(value));
    if (message !== null) events.message(message, handle);
  });
  // Once unref'd, the channel is not ref'd by the application's listeners for 'message' either, as in a process without a master.
  process.channel?.unref();
  // This stops the reading in time: Node.js first reads in a turn of the event loop.
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
    // EPERM means that the process exists and runs as another user.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/**
 * Keeps the channel open when the application calls `process.disconnect()`, and lets the application believe that it is closed. Without
 * the channel the worker would not learn that it is admitted or that its master has died, and would hold the port. An open channel does
 * not keep the process alive.
 */
function ignoreDisconnect(isOtherEndGone: () => boolean): void {
  const disconnect: unknown = Reflect.get(process, 'disconnect');
  if (typeof disconnect !== 'function') return;
  let isTold = false;
  process.disconnect = () => {
    if (isOtherEndGone()) {
      // Node.js itself may have called it, which it does when the other end is gone.
      Reflect.apply(disconnect, process, []);
    } else if (!isTold) {
      isTold = true;
      process.nextTick(() => process.emit('disconnect'));
    }
  };
}
