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

export interface AfterMaster {
  /** Starts the script now, so that no process is started before it can be watched. */
  begin(): void;
  /** The process may live for `outliveMs` without this one. Said again, the time is replaced. */
  watch(pid: number, outliveMs: number): void;
  /** The process has ended. */
  forget(pid: number): void;
}

export function createAfterMaster(): AfterMaster {
  /** The line about each process that runs. */
  const lines = new Map<number, string>();
  let script: Writable | null = null;

  /** Starts the process that outlives the master. If it dies, the next worker starts it again. */
  function start(): void {
    const child = spawnScript();
    const pipe = child?.stdio[3];
    // No descriptors, processes or shell: the next worker tries again. Until then, the next master kills what holds the port.
    if (!(pipe instanceof Socket)) return;
    script = pipe;
    const gone = (): void => {
      if (script === pipe) script = null;
    };
    pipe.on('error', gone);
    pipe.on('close', gone);
    // Notices that the script is gone, whose end is not reported here. Neither keeps an embedder's process alive.
    pipe.resume();
    pipe.unref();
    child?.unref();
    for (const line of lines.values()) pipe.write(line);
  }

  return {
    begin() {
      if (isNeeded() && script === null) start();
    },
    watch(pid, outliveMs) {
      const stat = isNeeded() ? readProcessStat(pid) : null;
      if (stat === null) return;
      const line = `+ ${pid} ${stat.startedAt} ${Math.ceil(outliveMs / 1_000)}\n`;
      lines.set(pid, line);
      if (script === null) start();
      else script.write(line);
    },
    forget(pid) {
      if (lines.delete(pid)) script?.write(`- ${pid}\n`);
    },
  };
}

function isNeeded(): boolean {
  return process.platform === 'linux' && process.pid !== 1;
}

/** In the background of a shell that ends at once: so it is not a child of an embedder. (The command adopts it, as all orphans.) */
const inBackground = '"$0" "$1" "$2" <&3 3<&- &';

/** Starts the script; null if that fails. */
function spawnScript(): ChildProcess | null {
  try {
    // The pid tells a reader of ps(1) whose script it is.
    const script = masterFile(preloadPath(), 'after-master.sh');
    const words = ['-c', inBackground, '/bin/sh', script, String(process.pid)];
    const child = spawn('/bin/sh', words, {
      cwd: '/',
      // It needs `sleep`, which is elsewhere on NixOS.
      env: { PATH: ['/usr/bin:/bin', process.env['PATH'] ?? []].flat().join(':') },
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    child.on('error', () => undefined);
    // Without a descriptor to spare it has no streams either.
    return child.pid === undefined ? null : child;
  } catch {
    return null;
  }
}
