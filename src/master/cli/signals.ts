/** What the signals of the master's process ask for. It must not know how it is done. */
import type { Master } from '../master.ts';
import { watchTerminal } from './terminal.ts';

/** Listens for as long as the process lives. The second of TERM, INT and QUIT stops at once: the lifecycle counts, and knows which are one. */
export function obeySignals(master: Master): void {
  const isTerminalGone = watchTerminal();
  process.on('SIGHUP', () => {
    // The end of a terminal is no reason to reload.
    ask(async () => (isTerminalGone() ? master.stop('signal') : master.reload('signal')));
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      ask(async () => master.stop('signal'));
    });
  }
  process.on('SIGTTIN', () => {
    master.changeWorkerCount(1);
  });
  process.on('SIGTTOU', () => {
    master.changeWorkerCount(-1);
  });
  // Node.js would open its debugger on the one and die of the other.
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
}

/** A signal has nobody to answer to: how it ended is in the log. */
function ask(request: () => Promise<unknown>): void {
  request().catch(() => undefined);
}
