/**
 * Obeys the master's orders to pause. In a takeover the old worker pauses before it is certain that the new one accepts. So it pauses briefly, accepts again by
 * itself when that time is over, and stays paused only once the master has confirmed the pause.
 */
import type { WorkerMessage } from '../../shared/protocol.ts';
import type { AcceptGate } from './accept-gate.ts';

export interface PausesParts {
  readonly gate: Pick<AcceptGate, 'isPaused' | 'resume'>;
  readonly send: (message: WorkerMessage) => void;
  /** Called with the reason why this worker cannot accept again. The master is not told, because it has no other generation to go back to. */
  readonly cannotResume: (problem: string) => void;
}

export interface Pauses {
  /** Call it when one of the listeners has been paused. `forMs`: for how long, unless the pause is confirmed before; null: until `resume`. */
  paused(forMs: number | null): void;
  /** Makes the pause of all listeners last until `resume`. */
  confirm(): void;
  /** Ends the pause. */
  resume(): void;
  /** Whether the worker is paused for a short time, after which it accepts again by itself. */
  isBrief(): boolean;
}

export function createPauses({ gate, send, cannotResume }: PausesParts): Pauses {
  const { pid } = process;
  let lapse: NodeJS.Timeout | null = null;
  /** Whether a brief pause was over before it was confirmed, and the master does not know it yet. */
  let hasLapsed = false;

  function stopClock(): void {
    clearTimeout(lapse ?? undefined);
    lapse = null;
  }

  function accept(): void {
    const problem = gate.resume();
    if (problem !== null) cannotResume(problem);
  }

  return {
    paused(forMs) {
      stopClock();
      if (forMs === null) {
        hasLapsed = false;
        return;
      }
      // The orders for the listeners come one after the other. What was over in between is not forgotten: the earlier listeners accept again.
      lapse = setTimeout(() => {
        lapse = null;
        hasLapsed = true;
        accept();
      }, forMs).unref();
    },
    confirm() {
      if (hasLapsed) {
        hasLapsed = false;
        send({ type: 'pauseLapsed', pid });
        return;
      }
      stopClock();
      if (gate.isPaused()) send({ type: 'paused', pid });
      else {
        gate.resume();
        send({ type: 'notPaused', pid, problem: 'no copy of its listener has arrived' });
      }
    },
    resume() {
      stopClock();
      hasLapsed = false;
      accept();
    },
    isBrief: () => lapse !== null,
  };
}
