/**
 * Decides which signals make a managed worker drain: SIGQUIT always; SIGTERM once it is ready; and once it is admitted, any other signal
 * that would end it and that the application does not handle.
 */
import { readCaught } from '../process/other-signal-handlers.ts';
import type { Signals } from '../process/signals.ts';

export interface DrainSignalsParts {
  readonly signals: Signals;
  /** True while the worker is another process, which this one has started. */
  readonly isPassedOn: () => boolean;
  readonly drain: (signal: NodeJS.Signals) => void;
  readonly terminated: () => void;
}

export interface DrainSignals {
  /** The worker is ready. */
  ready(): void;
  /** From now on SIGTERM is caught. A second call changes nothing. */
  catchTermination(): void;
  /** The worker is admitted: its first connection may come. */
  admitted(): void;
}

/** A signal of these is left alone if native code has taken it. */
const optional = ['SIGHUP', 'SIGUSR2'] as const;

/** SIGQUIT is caught from now on. */
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

  // An application that ends itself at SIGQUIT would cut the requests that the drain is there to finish: its listeners run at the end.
  signals.hold('SIGQUIT', () => {
    if (!isPassedOn()) drain('SIGQUIT');
    return 'take';
  });

  return {
    catchTermination,
    ready() {
      // systemd sends it to every process of a service by default.
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
