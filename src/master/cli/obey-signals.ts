/** What the signals of the master's process ask for. */
import { systemClock } from '../../shared/clock.ts';
import type { Commands } from '../control/commands.ts';
import { readHangup, type Terminal } from './hangup.ts';

const cause = 'signal';

/** How often the state of a terminal that may be about to end is checked. */
const lookAgainMs = 20;

/**
 * Obeys signals for as long as the process lives. A second TERM, INT or QUIT stops at once: the lifecycle counts them, and knows which ones are one
 * request.
 */
export function obeySignals(commands: Commands, terminal: () => Terminal): void {
  const stop = (): void => {
    ask(async () => commands.shutDown({ cause }).done);
  };
  const scale = (change: number): void => {
    ask(async () => Promise.resolve(commands.scale({ program: null, change })));
  };
  let isDeciding = false;
  const decide = (arrivedAt: number): void => {
    const what = readHangup(terminal(), systemClock.monotonicMs() - arrivedAt);
    isDeciding = what === 'wait';
    if (what === 'wait') setTimeout(decide, lookAgainMs, arrivedAt);
    // The terminal ends, which is not a request to reload.
    else if (what === 'stop') stop();
    else ask(async () => commands.reloadAll({ cause }));
  };
  process.on('SIGHUP', () => {
    // A SIGHUP that arrives while the previous one is undecided is covered by that decision.
    if (!isDeciding) decide(systemClock.monotonicMs());
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    process.on(signal, stop);
  }
  process.on('SIGTTIN', () => {
    scale(1);
  });
  process.on('SIGTTOU', () => {
    scale(-1);
  });
  // logrotate(8) sends this signal. Node.js would open its debugger.
  process.on('SIGUSR1', () => {
    ask(async () => commands.reopenLogs());
  });
  // As nginx and tableflip do. (Without a listener, this signal would end the process.)
  process.on('SIGUSR2', () => {
    ask(async () => commands.upgrade({ cause }));
  });
}

/** Runs a request of a signal. A signal has no sender to answer: the log reports the outcome. */
function ask(request: () => Promise<unknown>): void {
  request().catch(() => undefined);
}
