/** The streams of one program's workers that go to log files: lines are put together, formatted, and given to the file. */
import type { MasterEvent } from '../../shared/events.ts';
import {
  logfilePath,
  type LineFormat,
  type OutputDestination,
  type OutputPlan,
} from '../config/output-options.ts';
import type { OutputStream, WorkerProcess } from '../process/platform.ts';
import { formatLines, isPlain } from './format-lines.ts';
import { forwardWholeLines, type LineForwarder } from './forward-lines.ts';
import type { KeptLines } from './kept-lines.ts';
import type { LogFile, LogSource } from './log-file.ts';

export interface LogStream extends LineForwarder {
  /** It can be held from now on. */
  started(process: Pick<WorkerProcess, 'holdOutput'>): void;
  /** Nothing more comes. A second call does nothing. */
  close(): void;
}

export interface LogStreams {
  /** Errors: `logFileUnusable`. */
  open(
    destination: Extract<OutputDestination, { to: 'file' }>,
    stream: OutputStream,
    place: { readonly generation: number; readonly slot: number },
    pid: () => number,
  ): LogStream;
  configure(plan: OutputPlan): void;
}

export interface LogStreamsParts {
  readonly name: () => string;
  readonly kept: Pick<KeptLines, 'add'>;
  readonly files: (path: string) => LogFile;
  readonly format: LineFormat;
  readonly onEvent: (event: MasterEvent) => void;
}

const newline = 0x0a;

export function createLogStreams(parts: LogStreamsParts): LogStreams {
  const { kept } = parts;
  let { format } = parts;
  const open = new Set<{ readonly file: LogFile; readonly stream: OutputStream; readonly slot: number }>();

  return {
    open(destination, stream, { generation, slot }, pid) {
      const file = parts.files(logfilePath(destination.path, { name: parts.name(), slot }));
      let process: Pick<WorkerProcess, 'holdOutput'> | null = null;
      let isHeld = false;
      const source: LogSource = {
        hold: (isToBeHeld) => {
          isHeld = isToBeHeld;
          process?.holdOutput(stream, isHeld);
        },
      };
      file.attach(source, destination.settings, parts.onEvent);
      const own = { file, stream, slot };
      open.add(own);
      let isContinued = false;
      const lines = forwardWholeLines((bytes) => {
        const now = new Date();
        kept.add({ generation, slot, bytes, stream, worker: pid(), time: now.getTime(), path: file.path });
        const formatted = isPlain(format)
          ? bytes
          : formatLines(
              bytes,
              format,
              { program: parts.name(), generation, slot, worker: pid(), stream },
              now.toISOString(),
              isContinued,
            );
        isContinued = bytes.at(-1) !== newline;
        file.write(source, formatted);
      }, null);
      const end = (): void => {
        lines.end();
        // What a worker has not ended is its last line: the next one must not be glued to it.
        if (isContinued) lines.add(Uint8Array.of(newline));
      };
      return {
        add: (bytes) => {
          lines.add(bytes);
        },
        end,
        started(started) {
          process = started;
          if (isHeld) source.hold(true);
        },
        close() {
          if (!open.delete(own)) return;
          file.detach(source);
        },
      };
    },
    configure(plan) {
      ({ format } = plan);
      for (const { file, stream, slot } of open) {
        const destination = plan[stream];
        const isStill =
          destination.to === 'file' &&
          logfilePath(destination.path, { name: parts.name(), slot }) === file.path;
        if (isStill) file.configure(destination.settings);
      }
    },
  };
}
