/** The output streams of one program's workers that go to log files or daemons: bytes are joined to lines, formatted, and given to the file or the daemon. */
import type { MasterEvent } from '../../shared/events.ts';
import {
  logfilePath,
  type LineFormat,
  type OutputDestination,
  type OutputPlan,
} from '../config/options/output-options.ts';
import type { OutputStream, WorkerProcess } from '../process/platform.ts';
import { formatLines, isPlain, type LineOrigin, withoutSequences } from './format-lines.ts';
import { forwardWholeLines, type LineForwarder, noLine, type UnendedLine } from './forward-lines.ts';
import type { KeptLines } from './kept-lines.ts';
import type { LogDaemon } from './log-daemon.ts';
import type { LogSource } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import { newline } from './newlines.ts';

export interface LogStream extends LineForwarder {
  /** Whether a part of the line that has not ended was written already. */
  isContinued(): boolean;
  /** Called when the process is started: from now on its output can be held. */
  started(process: Pick<WorkerProcess, 'holdOutput'>): void;
  /** Ends the stream: no more output comes. A second call does nothing. */
  close(): void;
}

export type LoggedDestination = Extract<OutputDestination, { to: 'file' | 'syslog' | 'journal' }>;

export interface LogStreams {
  /** Opens the destination of one stream of a worker. Errors: `logFileUnusable`. */
  open(
    destination: LoggedDestination,
    stream: OutputStream,
    place: { readonly generation: number; readonly slot: number },
    pid: () => number,
    unended?: UnendedLine,
  ): LogStream;
  configure(plan: OutputPlan): void;
}

export interface LogStreamsParts {
  readonly name: () => string;
  readonly kept: Pick<KeptLines, 'add'>;
  readonly files: Pick<LogFiles, 'at' | 'daemon'>;
  readonly format: LineFormat;
  readonly onEvent: (event: MasterEvent) => void;
}

/** The destination of one stream: a file or a daemon. */
interface Target {
  /** The place of the log file (log-place.ts), or null for a daemon. */
  readonly path: string | null;
  /** Writes lines. `isContinued`: the first line is the rest of one whose beginning was written before. */
  write(bytes: Uint8Array, origin: LineOrigin, time: Date, isContinued: boolean): void;
  /** Applies the settings that can change while the worker runs. */
  configure(plan: OutputPlan): void;
  detach(): void;
}

export function createLogStreams(parts: LogStreamsParts): LogStreams {
  const { kept, files, onEvent } = parts;
  let { format } = parts;
  const open = new Set<Target>();
  const daemons = new Map<string, LogDaemon>();

  function toFile(
    { path, settings }: Extract<LoggedDestination, { to: 'file' }>,
    stream: OutputStream,
    slot: number,
    source: LogSource,
    isContinued: boolean,
  ): Target {
    const ownPath = logfilePath(path, { name: parts.name(), slot });
    const file = files.at(ownPath);
    file.attach(source, settings, onEvent, isContinued);
    return {
      path: file.place,
      write(bytes, origin, time, isContinued) {
        file.write(
          source,
          isPlain(format) ? bytes : formatLines(bytes, format, origin, time.toISOString(), isContinued),
        );
      },
      configure(plan) {
        const now = plan[stream];
        if (now.to === 'file' && logfilePath(now.path, { name: parts.name(), slot }) === ownPath)
          file.configure(now.settings);
      },
      detach() {
        file.detach(source);
      },
    };
  }

  function toDaemon(
    { to, path, ...settings }: Exclude<LoggedDestination, { to: 'file' }>,
    stream: OutputStream,
    source: LogSource,
  ): Target {
    const id = `${to}:${path}`;
    const daemon = daemons.get(id) ?? files.daemon({ protocol: to, path, tell: onEvent, ...settings });
    daemons.set(id, daemon);
    // The settings may have changed while no worker ran.
    daemon.configure(settings);
    daemon.attach(source);
    let { facility } = settings;
    return {
      path: null,
      write(bytes, origin, time, isContinued) {
        const written = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
        const lines = format.stripsAnsi ? withoutSequences(written) : written;
        daemon.write(lines, { ...origin, facility }, time, isContinued);
      },
      configure(plan) {
        const now = plan[stream];
        if (now.to !== to || now.path !== path) return;
        ({ facility } = now);
        daemon.configure(now);
      },
      detach() {
        daemon.detach(source);
      },
    };
  }

  return {
    open(destination, stream, { generation, slot }, pid, unended = noLine) {
      let process: Pick<WorkerProcess, 'holdOutput'> | null = null;
      let isHeld = false;
      const source: LogSource = {
        hold: (isToBeHeld) => {
          isHeld = isToBeHeld;
          process?.holdOutput(stream, isHeld);
        },
      };
      const target =
        destination.to === 'file'
          ? toFile(destination, stream, slot, source, unended.isContinued)
          : toDaemon(destination, stream, source);
      open.add(target);
      let { isContinued } = unended;
      const lines = forwardWholeLines((bytes) => {
        const time = new Date();
        const place = { generation, slot, worker: pid(), stream };
        kept.add({ ...place, bytes, time: time.getTime(), path: target.path }, isContinued);
        target.write(bytes, { program: parts.name(), ...place }, time, isContinued);
        isContinued = bytes.at(-1) !== newline;
      }, null);
      lines.add(Buffer.from(unended.held, 'base64'));
      return {
        held: () => lines.held(),
        isContinued: () => isContinued,
        add: (bytes) => {
          lines.add(bytes);
        },
        end() {
          lines.end();
          // If a worker does not end its last line, a newline is added, so that the next line is not glued to it.
          if (isContinued) lines.add(Uint8Array.of(newline));
        },
        started(started) {
          process = started;
          if (isHeld) source.hold(true);
        },
        close() {
          if (open.delete(target)) target.detach();
        },
      };
    },
    configure(plan) {
      ({ format } = plan);
      for (const target of open) target.configure(plan);
    },
  };
}
