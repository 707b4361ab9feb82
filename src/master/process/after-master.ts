/**
 * Tells a small shell script (after-master.sh) which workers run, so that it can kill those that outlive this process and do not end
 * by themselves. One script for the whole process, started with the first worker. Only on Linux; PID 1 needs none, because the kernel
 * ends every process of its namespace with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { readProcessStat } from '../../shared/process-stat.ts';
import { masterFile, preloadPath } from '../launch/preload-path.ts';
import { handleDescriptor } from '../sockets/handle-descriptor.ts';

export interface AfterMaster {
  /** Starts the script at once, so that no process is started before it can be watched. */
  begin(): void;
  /**
   * Has the process killed if it still runs `outliveMs` after this one has ended, and its pipes read until then. `pipes`: those of its descriptors 1 and 2
   * that this process reads. A second call for the process replaces the first.
   */
  watch(pid: number, outliveMs: number, pipes: readonly (1 | 2)[]): void;
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
    watch(pid, outliveMs, pipes) {
      const stat = isNeeded() ? readProcessStat(pid) : null;
      if (stat === null) return;
      const line = `+ ${pid} ${stat.startedAt} ${Math.ceil(outliveMs / 1_000)} ${pipes.join('')}\n`;
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

function isNeeded(): boolean {
  return process.platform === 'linux' && process.pid !== 1;
}

/**
 * Runs the script in the background of a shell that ends at once, so that it is not a child of an embedder. (graceful-run itself adopts it, as it does all
 * orphans.)
 */
const inBackground = '"$0" "$1" "$2" <&3 3<&- &';

/** Starts the script; null if that fails. */
function spawnScript(): ChildProcess | null {
  try {
    // The pid tells a reader of ps(1) whose script it is.
    const script = masterFile(preloadPath(), 'after-master.sh');
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
