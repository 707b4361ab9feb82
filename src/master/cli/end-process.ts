/**
 * The end of the master's process. process.exit() of Node.js 24 and 26 may never return: it waits for the threads on which V8 still compiles, and one of them may wait
 * for a collection by the main thread (nodejs/node#54918). A master that does not end holds up the process that has stopped it: a shell, systemd, a container.
 */
import { exitNow } from '../system-calls/own-process-calls.ts';

/** Calls the listeners for 'exit', then ends the process with this code. */
export function endProcess(code: number): never {
  if (!isObserved()) {
    process.exitCode = code;
    process.emit('exit', code);
    exitNow(code);
  }
  // Reached if the process is observed, or if the system calls were never loaded: then nothing has run yet that V8 would compile.
  process.exit(code);
}

/** Node.js writes coverage and profiles only in process.exit(). */
function isObserved(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return process.env['NODE_V8_COVERAGE'] !== undefined || /-prof\b/.test(options);
}
