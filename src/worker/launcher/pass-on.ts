/**
 * Wrappers that start the worker: `npm start`, cross-env, concurrently, a script of the project's own. Such a process is itself a Node.js,
 * which marks what it inherits as close-on-exec. As long as it does not listen itself, the processes that it starts may be the
 * worker, so they get what it got. It must not know what a worker does.
 */
import { startReading, stopReading } from '../node-internals/channel-handle.ts';
import { isCommandOfPackage } from './find-launcher.ts';
import { handOn, mayBecomeWorker, type HandOn, type Inherited } from './extend-start.ts';
import { replaceSynchronousStarts } from './synchronous-starts.ts';

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
  const childProcess = process.getBuiltinModule('node:child_process');
  const isCommand = isCommandOfPackage(process.argv[1]);
  let isEnded = false;
  let channel: number | null = null;

  const extend: HandOn = (started) => {
    if (isEnded || !mayBecomeWorker(started, isCommand)) return null;
    // Not closed: the next process may need it too (`prestart`, `start`).
    channel ??= separateChannel ?? stopReading();
    return channel === null ? null : handOn(started, { ...inherited, channel });
  };

  replaceStart(childProcess.ChildProcess.prototype, extend);
  // An application that waits for a process is no wrapper.
  if (isCommand) replaceSynchronousStarts(childProcess, extend);

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

/** The one way of every start that is not waited for: `spawn` of the prototype (Node 20, 22, 24 and 26; not documented). */
function replaceStart(prototype: object, extend: HandOn): void {
  const start: unknown = Reflect.get(prototype, 'spawn');
  if (typeof start !== 'function') return;
  const replacement = {
    spawn(this: unknown, options: { file?: unknown; stdio?: unknown; envPairs?: unknown }): unknown {
      const { file, stdio, envPairs } = options;
      const pairs = Array.isArray(envPairs) ? envPairs.map(String) : [];
      const extended = extend({ file, stdio, pairs });
      if (extended !== null) Object.assign(options, { stdio: extended.stdio, envPairs: extended.pairs });
      return Reflect.apply(start, this, [options]);
    },
  };
  Object.defineProperty(prototype, 'spawn', {
    ...Object.getOwnPropertyDescriptor(prototype, 'spawn'),
    value: Reflect.get(replacement, 'spawn'),
  });
}
