/** Writes events as JSON lines, or as text for people. It owns the logger and its stream: no failure of the stream may reach the master. */
import type { DestinationStream, LoggerOptions } from 'pino';
import type { EventRecord } from '../../shared/events.ts';
import { createNarrator } from '../../shared/narrate-events.ts';
import { colourPaint, plainPaint } from '../../shared/paint.ts';
import { fieldsOf } from './log-fields.ts';
import { levelOf } from './log-levels.ts';
import { type Backlog, createOverflow } from '../output/overflow.ts';

export interface Log {
  /** Writes one line, at once if the stream can. Never throws. May be passed on as a plain function. */
  readonly write: (event: EventRecord) => void;
  /** Logs how many bytes of the workers' output were not passed on because the reader was too slow. Never throws. */
  readonly outputDropped: (bytes: number) => void;
}

/** The stream that lines are written to: output/standard-error.ts, or anything else with these functions. */
export interface LogStream extends Backlog {
  write(text: string | Uint8Array): unknown;
  /** Returns how many bytes could not be written because of an error since the previous call. */
  readonly takeLostBytes?: () => number;
}

export interface LogOptions {
  /** The lowest level that is written. */
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Whether text has colours. Only for `pretty`. */
  readonly hasColours: boolean;
  /** The id in every JSON line (random-id.ts). */
  readonly id: string;
  readonly stream: LogStream;
}

/**
 * How much a reader may leave unread before lines are dropped, so that it neither blocks the master nor fills its memory. It is a little more than the
 * workers' output may take (shared-output.ts), so that a flood of that does not drown the log.
 */
const unreadLimitBytes = 1.25 * 1024 * 1024;

/**
 * Makes a log. `json`: one object for each line, with `level`, `logId`, `master` (its pid), `time`, `event`, `program`, the event's fields, `worker` (the
 * worker's pid) and `msg`. `pretty`: the time, the level and the text, and below a failure its hint. Loads pino-pretty only if it is needed.
 */
export async function createLog({ level, format, hasColours, id, stream }: LogOptions): Promise<Log> {
  const options: LoggerOptions = {
    level,
    base: { logId: id, master: process.pid },
    // The event's own time is written instead.
    timestamp: false,
    formatters: { level: (label) => ({ level: label }) },
  };
  // A quarter of what the master loads, which a command line or a plan that is wrong does not need.
  const { pino } = await import('pino');
  const isPretty = format === 'pretty';
  const destination = isPretty ? await prettyDestination(stream, hasColours) : stream;
  const logger = pino(options, destination satisfies DestinationStream);
  const narrate = createNarrator({
    paint: isPretty && hasColours ? colourPaint : plainPaint,
    showsOutput: false,
  });
  /** Slots whose worker has failed, by the name of the program. */
  const failedSlots = new Map<string, Set<number>>();
  let program = '';
  let lostBytes = 0;

  const warn = (event: string, fields: object, words: string): void => {
    logger.warn({ event, program, time: Date.now(), ...fields }, words);
  };

  /** Reports bytes that are missing above because they could not be written. */
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
    // If that write has failed too, the total is reported with the next line.
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

/** Returns `action` as a function that never throws: there is nowhere left to report an error. */
function attempt<Args extends readonly unknown[]>(action: (...args: Args) => void): (...args: Args) => void {
  return (...args) => {
    try {
      action(...args);
    } catch {
      // The stream is broken.
    }
  };
}

/** Returns pino-pretty as a plain function: its stream would write later, and lose the last lines at the exit. */
async function prettyDestination(out: LogStream, hasColours: boolean): Promise<DestinationStream> {
  const { default: pinoPretty } = await import('pino-pretty');
  const { dim } = hasColours ? colourPaint : plainPaint;
  const render = pinoPretty.prettyFactory({
    colorize: hasColours,
    // The message stays plain, except for the colours of narrate-events.ts.
    customColors: { message: 'reset' },
    useOnlyCustomProps: false,
    translateTime: 'SYS:HH:MM:ss.l',
    customPrettifiers: { time: (time) => dim(`[${typeof time === 'string' ? time : ''}]`) },
    // A function instead of a template, because text that is put into a template loses its colours.
    messageFormat: (line) => `${String(line['program'])}: ${String(line['msg'])}`,
    hideObject: true,
  });
  return { write: (line) => void out.write(render(line)) };
}
