/**
 * Wrappers that start the worker: `npm start`, cross-env, concurrently, a script of the project's own. Such a process is itself a Node.js,
 * which marks what it inherits as close-on-exec. As long as it does not listen itself, the processes that it starts may be the
 * worker, so they get what it got. It must not know what a worker does.
 */
import { replaceStarts, replaceSynchronousStarts, type Extend } from '../node-internals/process-starts.ts';
import { startReading, stopReading } from '../node-internals/channel-handle.ts';
import { isCommandOfPackage } from './find-launcher.ts';
import { extendStart, mayBecomeWorker, type Inherited } from './extend-start.ts';

export interface PassOn {
  /** The main script is one of a package, not of the project. */
  readonly isCommand: boolean;
  /** True when another process was given everything, and this one does not listen. */
  readonly isPassedOn: () => boolean;
  /** This process listens: it is the worker, and what it starts from now on is none of our business. */
  end(): void;
}

/** `separateChannel`: the descriptor of a channel that is not `process.channel`. */
export function passOn(inherited: Omit<Inherited, 'channel'>, separateChannel: number | null): PassOn {
  const isCommand = isCommandOfPackage(process.argv[1]);
  let isEnded = false;
  let channel: number | null = null;

  const extend: Extend = (started) => {
    if (isEnded || !mayBecomeWorker(started, isCommand)) return null;
    // Not closed: the next process may need it too (`prestart`, `start`).
    channel ??= separateChannel ?? stopReading();
    return channel === null ? null : extendStart(started, { ...inherited, channel });
  };

  replaceStarts(extend);
  // An application that waits for a process is no wrapper.
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
