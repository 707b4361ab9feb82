/**
 * Counts output that is lost on its way to its destination. It reports the beginning of a loss and, at its end, how much was lost. Its callers, log-file.ts and
 * log-daemon.ts, decide what is lost. What the log and the terminal drop has a simpler rule: overflow.ts.
 */
import type { MasterEvent } from '../../shared/events.ts';

/** If more bytes than the first number wait, workers are held until at most the second number waits, or further output is dropped. */
export const mostWaitingBytes: number = 1024 * 1024;
export const littleWaitingBytes: number = 256 * 1024;

/** The reason why output is lost that still waits when the master ends. */
export const tooLate: string = 'it took too long at the stop';

export interface OutputLoss {
  /** Counts lost output. `problem`: the reason, or null if output came too fast. */
  lose(
    reason: 'cannotWrite' | 'tooFast',
    amount: { readonly lines: number; readonly bytes: number },
    problem: string | null,
  ): void;
  /** Notes that output was written. `isQueueShort`: output comes slowly enough again. */
  wrote(bytes: number, isQueueShort: boolean): void;
  /** Whether there is a loss whose lines are still being counted. */
  isCounting(): boolean;
  /** Ends a loss and reports it. */
  end(): void;
}

export interface OutputLossParts {
  readonly path: string;
  readonly tell: (event: MasterEvent) => void;
  readonly nowMs: () => number;
}

/** A disk counts as working again after this many bytes without a failure, or after this time without one. */
const recoveryBytes = 64 * 1024;
const recoveryMs = 1_000;

interface Loss {
  readonly reason: 'cannotWrite' | 'tooFast';
  lines: number;
  bytes: number;
  /** How many bytes were written since the latest loss, and when that was. */
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
      // On a disk that is nearly full, short lines may still fit while long ones do not.
      const hasRecovered =
        loss.reason === 'tooFast'
          ? isQueueShort
          : loss.writtenBytes >= recoveryBytes || nowMs() - loss.latestAt >= recoveryMs;
      if (hasRecovered) end();
    },
    isCounting: () => loss !== null,
    end,
  };
}
