/** The output of one program's workers: passed on, thrown away, or written to files or daemons, as its plan says. */
import type { MasterEvent } from '../../shared/events.ts';
import type { OutputDestination, OutputPlan } from '../config/options/output-options.ts';
import type { OutputStream, Platform, SpawnRequest, WorkerProcess } from '../process/platform.ts';
import { forwardWholeLines, type LineForwarder, noLine, type UnendedLine } from './forward-lines.ts';
import { createKeptLines, type KeptLines } from './kept-lines.ts';
import type { LogFilesLoader } from './log-files-loader.ts';
import type { LogStreams } from './log-streams.ts';
import { newline } from './newlines.ts';

export interface WorkerPlace {
  readonly generation: number;
  readonly slot: number;
}

/** The output of one worker. */
export interface WorkerOutput {
  /** The kind of stdout that the worker's process is started with. */
  readonly stdout: NonNullable<SpawnRequest['stdout']>;
  started(process: Pick<WorkerProcess, 'pid' | 'holdOutput'>): void;
  write(stream: OutputStream, bytes: Uint8Array): void;
  /** Called when the process has ended: a line that lacks its end counts as a whole one. Other processes that it has started may still write. */
  exited(): void;
  /** Called when no more output comes from this stream; or from neither stream, if the worker could not be started. */
  ended(stream: OutputStream): void;
  /** The lines of the worker that have not ended. */
  unended(): UnendedLines;
}

/** The lines of one worker that have not ended, by stream. */
export type UnendedLines = Readonly<Record<OutputStream, UnendedLine>>;

export interface ProgramOutput {
  /** The latest lines of its workers. */
  readonly kept: KeptLines;
  /** Loads the code that this plan needs. Has to be called before open() and configure(). */
  load(plan: OutputPlan): Promise<void>;
  /** Applies the settings that can change while workers run. */
  configure(plan: OutputPlan): void;
  /**
   * Opens the log files and daemons of a worker that is about to be started, or of one that runs already. `unended`: the lines that this one has begun and not ended.
   * Errors: `logFileUnusable`.
   */
  open(plan: OutputPlan, place: WorkerPlace, unended?: UnendedLines): WorkerOutput;
}

export interface ProgramOutputParts {
  readonly name: () => string;
  readonly arm: Platform['arm'];
  readonly files: LogFilesLoader;
  /** Whether lines that are passed on begin with program and pid, until configure() is called. */
  readonly hasPrefix: boolean;
  /** Called with the bytes that a worker writes to a stderr that is inherited, in whole lines. */
  readonly onStderr: (bytes: Uint8Array, pid: number, hasPrefix: boolean) => void;
  /** Called with the bytes that a worker writes to a stdout that is forwarded, in whole lines. */
  readonly onStdout: (bytes: Uint8Array, pid: number, hasPrefix: boolean) => void;
  readonly onEvent: (event: MasterEvent) => void;
}

export function createProgramOutput(parts: ProgramOutputParts): ProgramOutput {
  const kept = createKeptLines();
  let streams: LogStreams | null = null;
  let { hasPrefix } = parts;

  function goesTo(plan: OutputPlan, ...destinations: readonly OutputDestination['to'][]): boolean {
    return destinations.includes(plan.stdout.to) || destinations.includes(plan.stderr.to);
  }

  function openStream(
    destination: OutputDestination,
    stream: OutputStream,
    place: WorkerPlace,
    pid: () => number,
    unended: UnendedLine,
  ): LineForwarder & {
    readonly started?: (process: Pick<WorkerProcess, 'holdOutput'>) => void;
    readonly close?: () => void;
    readonly isContinued?: () => boolean;
  } {
    if (destination.to === 'none') return nowhere;
    if (destination.to === 'inherit' || destination.to === 'forward') {
      const pass = destination.to === 'inherit' ? parts.onStderr : parts.onStdout;
      let { isContinued } = unended;
      const lines = forwardWholeLines((bytes) => {
        kept.add({ ...place, bytes, stream, worker: pid(), time: Date.now(), path: null }, isContinued);
        isContinued = bytes.at(-1) !== newline;
        pass(bytes, pid(), hasPrefix);
      }, parts.arm);
      lines.add(Buffer.from(unended.held, 'base64'));
      return { ...lines, isContinued: () => isContinued };
    }
    if (streams === null) throw new Error('load() comes first');
    return streams.open(destination, stream, place, pid, unended);
  }

  return {
    kept,
    async load(plan) {
      if (!goesTo(plan, 'file', 'syslog', 'journal')) return;
      const files = await parts.files.load();
      if (goesTo(plan, 'syslog', 'journal')) await files.loadDaemons();
      if (streams !== null) return;
      const { createLogStreams } = await import('./log-streams.ts');
      streams ??= createLogStreams({
        ...parts,
        kept,
        files,
        format: plan.format,
      });
    },
    configure(plan) {
      ({ hasPrefix } = plan);
      streams?.configure(plan);
    },
    open(plan, place, unended = noLines) {
      let pid = 0;
      const stderr = openStream(plan.stderr, 'stderr', place, () => pid, unended.stderr);
      let stdout: ReturnType<typeof openStream>;
      try {
        stdout =
          stdoutOf[plan.stdout.to] === 'read'
            ? openStream(plan.stdout, 'stdout', place, () => pid, unended.stdout)
            : nowhere;
      } catch (error) {
        stderr.close?.();
        throw error;
      }
      const of = { stdout, stderr };
      return {
        stdout: stdoutOf[plan.stdout.to],
        started(process) {
          ({ pid } = process);
          for (const stream of [stdout, stderr]) stream.started?.(process);
        },
        write(stream, bytes) {
          of[stream].add(bytes);
        },
        exited() {
          stdout.end();
          stderr.end();
        },
        ended(stream) {
          of[stream].end();
          of[stream].close?.();
        },
        unended: () => ({ stdout: unendedOf(stdout), stderr: unendedOf(stderr) }),
      };
    },
  };
}

const stdoutOf = {
  inherit: 'inherited',
  forward: 'read',
  none: 'discarded',
  file: 'read',
  syslog: 'read',
  journal: 'read',
} as const;

const nowhere: LineForwarder = {
  add: () => undefined,
  end: () => undefined,
  held: () => new Uint8Array(),
};

const noLines: UnendedLines = { stdout: noLine, stderr: noLine };

function unendedOf(
  lines: Pick<LineForwarder, 'held'> & { readonly isContinued?: () => boolean },
): UnendedLine {
  return { held: Buffer.from(lines.held()).toString('base64'), isContinued: lines.isContinued?.() ?? false };
}
