/** Ends this process when the master has ended, even if the file that it reads loops forever. */
import { Worker } from 'node:worker_threads';

/**
 * The other end of the answer's descriptor closes with the master, however that ends. A thread waits for it, because code of the file may
 * keep the main thread busy. A file that is no program is read so quickly that it needs none.
 */
export function endWithMaster(descriptor: number): void {
  const code = `
    const { Socket } = require('node:net');
    const end = new Socket({ fd: ${descriptor}, readable: true, writable: false });
    end.on('error', () => undefined).on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
  `;
  // NODE_OPTIONS is meant for the code of the file, not for this thread.
  new Worker(code, { eval: true, env: {}, execArgv: [] }).unref();
}
