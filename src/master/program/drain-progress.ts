/** Reports from time to time what a stop or a drain still waits for. It decides when. */
import type { MasterEvent } from '../../shared/events.ts';
import type { Platform } from '../process/platform.ts';

export type DrainProgressEvent = Extract<MasterEvent, { event: 'stillDraining' }>;

export interface DrainProgressParts {
  readonly arm: Platform['arm'];
  /** Whether a worker drains or is being ended. */
  readonly isDraining: () => boolean;
  /** Finds out how far the drain is; null if nothing drains any more. */
  readonly look: () => Promise<DrainProgressEvent | null>;
  readonly publish: (event: DrainProgressEvent) => void;
}

/** The time until the first report. It is short for a stop, because a person waits for that. Most drains of a reload are over before theirs. */
const firstMs = { stop: 1_000, drain: 5_000 };
const secondMs = 5_000;
const longestMs = 60_000;

export function createDrainProgress({ arm, isDraining, look, publish }: DrainProgressParts): {
  observe(event: MasterEvent): void;
  /** Has to be called when workers that drain were taken over from the previous image of this process. */
  resume(): void;
} {
  let cancel: (() => void) | null = null;

  const disarm = (): void => {
    cancel?.();
    cancel = null;
  };

  const schedule = (delayMs: number): void => {
    disarm();
    cancel = arm(delayMs, () => {
      cancel = null;
      void tell(delayMs);
    });
  };

  async function tell(delayMs: number): Promise<void> {
    const progress = await look();
    // The drain may have ended in the meantime, or a stop may have begun, which has times of its own.
    if (progress === null || !isDraining()) return;
    publish(progress);
    if (cancel === null) schedule(Math.min(longestMs, Math.max(secondMs, delayMs * 2)));
  }

  return {
    resume() {
      if (isDraining()) schedule(firstMs.drain);
    },
    observe(event) {
      if (event.event === 'stopRequested') {
        if (!event.urgent) schedule(firstMs.stop);
      } else if (event.event === 'workerDraining') {
        if (cancel === null) schedule(firstMs.drain);
      } else if (event.event === 'workerExited' || event.event === 'stopped') {
        // No timer is armed when nothing happens.
        if (!isDraining()) disarm();
      }
    },
  };
}
