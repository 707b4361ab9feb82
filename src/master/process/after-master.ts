/**
 * Tells a small shell script (after-master.sh) which workers run. When this process has died, the script tells those workers to drain that do not notice it
 * themselves, and kills the workers that do not end. A master on Linux starts the script once, together with its first worker. A master that has PID 1 does not:
 * when it dies, the kernel kills every other process of its PID namespace.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { readAllProcesses, readProcessStat } from '../../shared/process-stat.ts';
import { masterFile, preloadPath } from '../launch/preload-path.ts';
import { handleDescriptor } from '../sockets/handle-descriptor.ts';

/** When a worker is told to drain after this process was killed. */
export interface ToldLater {
  readonly afterMs: number;
  /** Whether it serves an address: then a master that takes the listeners over tells it instead. */
  readonly isServer: boolean;
}

/** What is done to a process when this one is killed. */
export interface AfterDeath {
  /** It is killed if it still runs after this time. */
  readonly outliveMs: number;
  /** Those of its descriptors 1 and 2 that this process reads: they are read on. */
  readonly pipes: readonly (1 | 2)[];
  /** The signal that it gets, and when; null if there is none. */
  readonly told: (ToldLater & { readonly signal: NodeJS.Signals }) | null;
}

export interface AfterMaster {
  /** Starts the script at once, so that no process is started before it can be watched. */
  begin(): void;
  /** Notes what is done to the process when this one is killed. A second call for the process replaces the first. */
  watch(pid: number, after: AfterDeath): void;
  /** Called when the process has ended. */
  forget(pid: number): void;
  /** Uses a script that runs already, and is told over this descriptor. */
  inherit(fd: number): void;
  /** The descriptor over which the script is told, and by whose end it notices that of this process; null if the script does not run. */
  fd(): number | null;
}

export function createAfterMaster(): AfterMaster {
  /** For each process that runs, the line that tells the script about it. */
  const lines = new Map<number, string>();
  let script: Writable | null = null;

  /** Starts the script. If it dies, the next worker starts it again. */
  function start(): void {
    const child = spawnScript();
    const pipe = child?.stdio[3];
    // There are no descriptors, processes or shell: the next worker tries again. Until then, the next master kills the workers that hold the port.
    if (!(pipe instanceof Socket)) return;
    use(pipe);
    child?.unref();
    for (const line of lines.values()) pipe.write(line);
  }

  function use(pipe: Socket): void {
    script = pipe;
    const gone = (): void => {
      if (script === pipe) script = null;
    };
    pipe.on('error', gone);
    pipe.on('close', gone);
    // Reading tells when the script has ended, which is not reported in any other way. Neither pipe nor process keeps an embedder's process alive.
    pipe.resume();
    pipe.unref();
  }

  return {
    begin() {
      if (isNeeded() && script === null) start();
    },
    watch(pid, { outliveMs, pipes, told }) {
      const stat = isNeeded() ? readProcessStat(pid) : null;
      if (stat === null) return;
      const end =
        told === null
          ? ''
          : ` ${seconds(told.afterMs)} ${told.signal.slice('SIG'.length)}${told.isServer ? ' server' : ''}`;
      const line = `+ ${pid} ${stat.startedAt} ${seconds(outliveMs)} ${pipes.join('') || '0'}${end}\n`;
      if (lines.get(pid) === line) return;
      lines.set(pid, line);
      if (script === null) start();
      else script.write(line);
    },
    forget(pid) {
      if (lines.delete(pid)) script?.write(`- ${pid}\n`);
    },
    inherit(fd) {
      use(new Socket({ fd, readable: true, writable: true }));
    },
    fd: () => handleDescriptor(script),
  };
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}

function isNeeded(): boolean {
  return process.platform === 'linux' && process.pid !== 1;
}

/**
 * Runs the script in the background of a shell that ends at once, so that it is not a child of an embedder. (graceful-run itself adopts it, as it does all
 * orphans.)
 */
const inBackground = '"$0" "$1" "$2" <&3 3<&- &';

/** The pids of the scripts that these masters have started. */
export function findAfterMaster(masters: ReadonlySet<number>): readonly number[] {
  return readAllProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => {
      const [, script, master] = readProcessArguments(pid);
      return script !== undefined && basename(script) === scriptName && masters.has(Number(master));
    });
}

const scriptName = 'after-master.sh';

/** Starts the script; null if that fails. */
function spawnScript(): ChildProcess | null {
  try {
    // The pid tells a reader of ps(1) whose script it is.
    const script = masterFile(preloadPath(), scriptName);
    const words = ['-c', inBackground, '/bin/sh', script, String(process.pid)];
    const child = spawn('/bin/sh', words, {
      cwd: '/',
      // The script needs `sleep`, which is in another folder on NixOS.
      env: { PATH: ['/usr/bin:/bin', process.env['PATH'] ?? []].flat().join(':') },
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', () => undefined);
    // Without free descriptors, the process has no streams either.
    return child.pid === undefined ? null : child;
  } catch {
    return null;
  }
}
