/**
 * Writes what is observed, as JSON lines or for people. It owns the logger and its stream:
 * no failure of the stream may reach the master.
 */
import { type DestinationStream, type LoggerOptions, pino } from 'pino';
import type { EventRecord } from '../../shared/events.ts';
import { createNarrator } from '../../shared/narrate-events.ts';
import { colourPaint, plainPaint } from '../../shared/paint.ts';
import { fieldsOf } from './log-fields.ts';
import { levelOf } from './log-levels.ts';
import { type Backlog, createOverflow } from '../output/overflow.ts';

export interface Log {
  /** Writes one line, before it returns where the stream can. Never throws. May be passed around without its log. */
  readonly write: (event: EventRecord) => void;
  /** Logs how many bytes of the workers' output were not passed on because the reader was too slow. Never throws. */
  readonly outputDropped: (bytes: number) => void;
}

/** Where lines go: output/standard-error.ts, or anything that writes. */
export interface LogStream extends Backlog {
  write(text: string | Uint8Array): unknown;
  /** Bytes that it could not write because of an error since it was last asked. */
  readonly takeLostBytes?: () => number;
}

export interface LogOptions {
  /** The least level that is written. */
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Only for `pretty`. */
  readonly hasColours: boolean;
  /** Stands in every JSON line: see random-id.ts. */
  readonly id: string;
  readonly stream: LogStream;
}

/**
 * What a reader may leave unread before lines are dropped: neither may it block the master nor fill its memory. A little more than the
 * workers' output may take (shared-output.ts), so that a worker that floods it does not drown the log.
 */
const unreadLimitBytes = 1.25 * 1024 * 1024;

/**
 * Makes a log. `json`: one object a line with `level`, `logId`, `master` (its pid), `time`, `event`, `program`, the event's
 * fields, `worker` (the worker's pid) and `msg`. `pretty`: the time, the level and the words, and below a failure
 * its hint. Loads pino-pretty only when it is wanted.
 */
export async function createLog({ level, format, hasColours, id, stream }: LogOptions): Promise<Log> {
  const options: LoggerOptions = {
    level,
    base: { logId: id, master: process.pid },
    // The event's own time is written instead.
    timestamp: false,
    formatters: { level: (label) => ({ level: label }) },
  };
  const isPretty = format === 'pretty';
  const destination = isPretty ? await prettyDestination(stream, hasColours) : stream;
  const logger = pino(options, destination satisfies DestinationStream);
  const narrate = createNarrator({
    paint: isPretty && hasColours ? colourPaint : plainPaint,
    showsOutput: false,
  });
  /** Slots whose worker has failed, by program. */
  const failedSlots = new Map<string, Set<number>>();
  let program = '';
  let lostBytes = 0;

  const warn = (event: string, fields: object, words: string): void => {
    logger.warn({ event, program, time: Date.now(), ...fields }, words);
  };

  /** Says what is missing above because it could not be written. */
  const tellLostBytes = (): void => {
    lostBytes += stream.takeLostBytes?.() ?? 0;
    const bytes = lostBytes;
    lostBytes = 0;
    if (bytes === 0) return;
    warn(
      'logBytesLost',
      { bytes },
      `${bytes} bytes of output could not be written: the reader was gone, or the disk full`,
    );
    // That write may have failed too: then the total is reported with the next line.
    if ((stream.takeLostBytes?.() ?? 0) > 0) lostBytes = bytes;
  };

  const overflow = createOverflow(
    stream,
    unreadLimitBytes,
    attempt((lines) => {
      warn(
        'logLinesDropped',
        { lines },
        `${lines} lines of this log were dropped because the reader was too slow`,
      );
      tellLostBytes();
    }),
  );

  const record = (event: EventRecord): void => {
    program = event.program;
    const failed = failedSlots.get(program) ?? new Set<number>();
    if (event.event === 'workerFailed') failedSlots.set(program, failed.add(event.slot));
    // The workers of a failed candidate are not replaced.
    if (event.event === 'generationFailed') failedSlots.delete(program);
    const isRecovery = event.event === 'workerReady' && failed.delete(event.slot);
    const { line, details } = narrate(event);
    if (!overflow.admits(1)) return;
    tellLostBytes();
    const words = isPretty ? [line, ...details].join('\n') : line;
    logger[levelOf(event, isRecovery)](fieldsOf(event), words);
  };

  return {
    write: (event) => {
      attempt(record)(event);
    },
    outputDropped: attempt((bytes) => {
      warn(
        'workerOutputDropped',
        { bytes },
        `${bytes} bytes of the workers' output were dropped because the reader was too slow`,
      );
    }),
  };
}

/** `action`, which never throws: there is nowhere left to report an error. */
function attempt<Args extends readonly unknown[]>(action: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      action(...args);
    } catch {
      // The stream is broken.
    }
  };
}

/** pino-pretty as a plain function: its stream would deliver later, and lose the last lines at the exit. */
async function prettyDestination(out: LogStream, hasColours: boolean): Promise<DestinationStream> {
  const { default: pinoPretty } = await import('pino-pretty');
  const { dim } = hasColours ? colourPaint : plainPaint;
  const render = pinoPretty.prettyFactory({
    colorize: hasColours,
    // The message is plain, but for what narrate-events.ts has painted.
    customColors: { message: 'reset' },
    useOnlyCustomProps: false,
    translateTime: 'SYS:HH:MM:ss.l',
    customPrettifiers: { time: (time) => dim(`[${typeof time === 'string' ? time : ''}]`) },
    // A function: what a text is put into loses its colours.
    messageFormat: (line) => `${String(line['program'])}: ${String(line['msg'])}`,
    hideObject: true,
  });
  return { write: (line) => void out.write(render(line)) };
}
