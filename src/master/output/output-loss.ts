/** Counts output that is lost on its way to its destination. Reports when the loss begins, and how much was lost when it is over. */
import type { MasterEvent } from '../../shared/events.ts';

/** If more than the first number waits, workers are held until at most the second waits; or further output is dropped. */
export const mostWaitingBytes: number = 1024 * 1024;
export const littleWaitingBytes: number = 256 * 1024;

/** Why what still waits when the master ends is lost. */
export const tooLate: string = 'it took too long at the stop';

export interface OutputLoss {
  /** `problem`: null if it came too fast. */
  lose(
    reason: 'cannotWrite' | 'tooFast',
    amount: { readonly lines: number; readonly bytes: number },
    problem: string | null,
  ): void;
  /** This much was written. `isQueueShort`: output now comes slowly enough. */
  wrote(bytes: number, isQueueShort: boolean): void;
  /** Nothing is lost any more. */
  end(): void;
}

export interface OutputLossParts {
  readonly path: string;
  readonly tell: (event: MasterEvent) => void;
  readonly nowMs: () => number;
}

/** A disk counts as working again if it has accepted this much in a row, or if the last failure is this long ago. */
const recoveryBytes = 64 * 1024;
const recoveryMs = 1_000;

interface Loss {
  readonly reason: 'cannotWrite' | 'tooFast';
  lines: number;
  bytes: number;
  /** What was written since something was lost, and when that was. */
  writtenBytes: number;
  latestAt: number;
}

export function createOutputLoss({ path, tell, nowMs }: OutputLossParts): OutputLoss {
  let loss: Loss | null = null;

  function end(): void {
    if (loss === null) return;
    const { lines, bytes } = loss;
    loss = null;
    tell({ event: 'outputResumed', path, lines, bytes });
  }

  return {
    lose(reason, { lines, bytes }, problem) {
      if (loss?.reason !== reason) {
        end();
        loss = { reason, lines: 0, bytes: 0, writtenBytes: 0, latestAt: 0 };
        tell({ event: 'outputLost', path, reason, problem });
      }
      loss.writtenBytes = 0;
      loss.latestAt = nowMs();
      loss.lines += lines;
      loss.bytes += bytes;
    },
    wrote(bytes, isQueueShort) {
      if (loss === null) return;
      loss.writtenBytes += bytes;
      // On a disk that is nearly full, short lines may still fit between long ones that do not.
      const hasRecovered =
        loss.reason === 'tooFast'
          ? isQueueShort
          : loss.writtenBytes >= recoveryBytes || nowMs() - loss.latestAt >= recoveryMs;
      if (hasRecovered) end();
    },
    end,
  };
}
