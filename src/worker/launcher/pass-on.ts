/**
 * Passes the listeners and the channel on to the processes that this one starts, as long as it does not listen itself: any of them may be the
 * worker. For wrappers such as `npm start`, cross-env, concurrently or a script of the project. Such a wrapper runs on Node.js, which
 * marks inherited descriptors as close-on-exec.
 */
import { replaceStarts, replaceSynchronousStarts, type Extend } from '../node-internals/process-starts.ts';
import { startReading, stopReading } from '../node-internals/channel-handle.ts';
import { isCommandOfPackage, type MainScript } from './find-launcher.ts';
import { extendStart, mayBecomeWorker, type Inherited } from './extend-start.ts';

export interface PassOn {
  /** True if the main script belongs to a package and not to the project. */
  readonly isCommand: boolean;
  /** True if another process got the listeners and the channel, and this one does not listen. */
  readonly isPassedOn: () => boolean;
  /** Call it when this process listens: it is the worker, and nothing is passed on any more. */
  end(): void;
}

/** Starts to pass them on. `separateChannel`: the descriptor of a channel that is not `process.channel`. `script`: the main script of this process. */
export function passOn(
  inherited: Omit<Inherited, 'channel'>,
  separateChannel: number | null,
  script: MainScript | null,
): PassOn {
  const isCommand = isCommandOfPackage(script);
  let isEnded = false;
  let channel: number | null = null;

  const extend: Extend = (started) => {
    if (isEnded || !mayBecomeWorker(started, isCommand)) return null;
    // Not closed, because the next process may need it, too (`prestart`, then `start`).
    channel ??= separateChannel ?? stopReading();
    return channel === null ? null : extendStart(started, { ...inherited, channel });
  };

  replaceStarts(extend);
  // An application that blocks until a process ends is not a wrapper.
  if (isCommand) replaceSynchronousStarts(extend);

  return {
    isCommand,
    isPassedOn: () => channel !== null && !isEnded,
    end() {
      if (isEnded) return;
      isEnded = true;
      if (channel !== null && separateChannel === null) startReading();
    },
  };
}
