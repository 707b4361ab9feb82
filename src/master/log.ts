/**
 * Writes what is observed, as JSON lines or for people. It owns the logger and its stream; it must not know what
 * happens next, and nothing that goes wrong with the stream may reach the master.
 */
import { type DestinationStream, type LoggerOptions, pino } from 'pino';
import { describe, describeFailure, failureOf } from '../shared/describe.ts';
import type { Observation } from '../shared/facts.ts';
import { fieldsOf } from './log-fields.ts';
import { levelOf } from './log-levels.ts';

export interface Log {
  /** Writes one line, before it returns where the stream can. Never throws. May be passed around without its log. */
  readonly write: (observation: Observation) => void;
}

/** Where lines go: `process.stderr`, or anything that writes. */
export interface LogStream {
  write(text: string): unknown;
  /** What it holds because its reader is slow, in bytes; 0 when absent. */
  readonly writableLength?: number;
}

export interface LogOptions {
  /** The least level that is written. */
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Default: stderr. */
  readonly stream?: LogStream;
}

/** What a reader may leave unread before lines are dropped: neither may it block the master nor fill its memory. */
const unreadLimitBytes = 1024 * 1024;

/**
 * Makes a log. `json`: one object a line with `level`, `master` (its pid), `time`, `event`, `program`, the fact's
 * fields, `worker` (the worker's pid) and `msg`. `pretty`: the time, the level and the words, and below a failure
 * its hint and the worker's last lines. Loads pino-pretty only when it is wanted.
 */
export async function createLog({ level, format, stream }: LogOptions): Promise<Log> {
  const out: LogStream = stream ?? ownStderr();
  const options: LoggerOptions = {
    level,
    base: { master: process.pid },
    // The observation's own time is written instead.
    timestamp: false,
    formatters: { level: (label) => ({ level: label }) },
  };
  const isPretty = format === 'pretty';
  const destination = isPretty ? await prettyDestination(out, stream === undefined) : out;
  const logger = pino(options, destination satisfies DestinationStream);
  const wordsOf = isPretty ? createLongWords() : describe;
  const failedSlots = new Set<number>();
  let dropped = 0;

  const record = (observation: Observation): void => {
    if ((out.writableLength ?? 0) > unreadLimitBytes) {
      dropped += 1;
      return;
    }
    if (dropped > 0) {
      const { program, time } = observation;
      logger.warn(
        { event: 'logLinesDropped', program, time, lines: dropped },
        `${dropped} lines of this log were dropped: nobody read them`,
      );
      dropped = 0;
    }
    if (observation.event === 'workerFailed') failedSlots.add(observation.slot);
    // Nobody takes the place of a candidate's workers.
    if (observation.event === 'generationFailed') failedSlots.clear();
    const isRecovery = observation.event === 'workerReady' && failedSlots.delete(observation.slot);
    logger[levelOf(observation, isRecovery)](fieldsOf(observation), wordsOf(observation));
  };

  return {
    write: (observation) => {
      try {
        record(observation);
      } catch {
        // There is nowhere left to say so.
      }
    },
  };
}

/**
 * process.stderr and not the bare fd 2: it writes at once while the reader keeps up, as sync destinations do, and
 * keeps the order with what else the process writes there, but a reader that has stopped does not stop the master.
 */
function ownStderr(): LogStream {
  process.stderr.on('error', () => undefined);
  return process.stderr;
}

/** pino-pretty as a plain function: its stream would deliver later, and lose the last lines at the exit. */
async function prettyDestination(out: LogStream, isOwn: boolean): Promise<DestinationStream> {
  const { default: pinoPretty } = await import('pino-pretty');
  const render = pinoPretty.prettyFactory({
    colorize: isOwn && process.stderr.isTTY && process.stderr.hasColors(),
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{program}: {msg}',
    hideObject: true,
  });
  return { write: (line) => void out.write(render(line)) };
}

/** The words and, for a failure, what more there is to say; once, when the same failure is told of two facts in a row. */
function createLongWords(): (observation: Observation) => string {
  let told = '';
  return (observation) => {
    const failure = failureOf(observation);
    if (failure === null) return describe(observation);
    const more = describeFailure(failure).join('\n');
    const isNews = more !== told;
    told = more;
    return isNews && more !== '' ? `${describe(observation)}\n${more}` : describe(observation);
  };
}
