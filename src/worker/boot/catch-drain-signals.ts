/**
 * Decides which signals make a managed worker drain: SIGQUIT always; SIGTERM once it is ready; and once it is admitted, SIGINT, SIGHUP and SIGUSR2, if
 * the application does not handle them.
 */
import { readCaught } from '../process/other-signal-handlers.ts';
import type { Signals } from '../process/signals.ts';

export interface DrainSignalsParts {
  readonly signals: Signals;
  /** True while another process, which this one has started, is the worker. */
  readonly isPassedOn: () => boolean;
  readonly drain: (signal: NodeJS.Signals) => void;
  readonly terminated: () => void;
}

export interface DrainSignals {
  /** Call it when the worker is ready: SIGTERM begins a drain from then on. */
  ready(): void;
  /** Catches SIGTERM from now on. A second call changes nothing. */
  catchTermination(): void;
  /** Call it when the worker is admitted: from then on a connection may arrive, and other signals begin a drain, too. */
  admitted(): void;
}

/** Signals that are left alone if native code handles them. */
const optional = ['SIGHUP', 'SIGUSR2'] as const;

/** Catches SIGQUIT from now on. */
export function catchDrainSignals({
  signals,
  isPassedOn,
  drain,
  terminated,
}: DrainSignalsParts): DrainSignals {
  let free: readonly NodeJS.Signals[] = [];

  function catchTermination(): void {
    signals.hold('SIGTERM', () => {
      terminated();
      return signals.isMeant('SIGTERM') ? 'passOn' : 'take';
    });
  }

  // The application's own SIGQUIT listeners run at the end of the drain: one that ends the process would cut requests in flight.
  signals.hold('SIGQUIT', () => {
    if (!isPassedOn()) drain('SIGQUIT');
    return 'take';
  });

  return {
    catchTermination,
    ready() {
      // By default, systemd sends SIGTERM to every process of a service.
      catchTermination();
      const isCaught = readCaught();
      free = optional.filter((signal) => signals.listenerCount(signal) > 0 || !isCaught(signal));
    },
    admitted() {
      for (const signal of ['SIGINT', ...free] as const) {
        signals.hold(signal, () => {
          if (signals.isMeant(signal)) return 'passOn';
          drain(signal);
          return 'take';
        });
      }
    },
  };
}
