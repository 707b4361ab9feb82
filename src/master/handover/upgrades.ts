/**
 * Upgrades the master in place: execve(2) replaces the program of its process, which keeps its pid, its children, and the descriptors of everything that it
 * holds. What is under way and cannot be handed over is waited for. Nothing changes before the next image has shown that it can take over.
 */
import { formatDuration } from '../../shared/durations.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import type { Cause, MasterEvent } from '../../shared/events.ts';
import type { Platform } from '../process/platform.ts';
import type { NextImage } from './next-image.ts';
import type { MasterRecord } from './record.ts';
import type { Snapshot } from './snapshot.ts';

/** What the process that runs the master contributes to its upgrade. */
export interface OwnImage {
  readonly next: NextImage;
  /** Adds to the record what the process knows besides. */
  readonly snapshot: (master: MasterRecord) => Snapshot;
  /** Writes what waits for the readers of the log. Returns whether everything is written. */
  readonly flush: () => boolean;
}

export interface UpgradeParts {
  /** Loads what this process contributes. Null for a master inside another program, which cannot be replaced. */
  readonly image: (() => Promise<OwnImage>) | null;
  readonly platform: Pick<Platform, 'arm' | 'clock'>;
  readonly record: () => MasterRecord;
  readonly unfinished: () => string | null;
  /** Leaves what workers write in their pipes, or ends that. */
  readonly suspendOutput: (isSuspended: boolean) => void;
  /** Whether everything that was read is written. */
  readonly isWritten: () => boolean;
  readonly publish: (event: MasterEvent) => void;
}

export interface Upgrades {
  /** Replaces this program. Does not return if it succeeds. A request during another one gets the same answer. Errors: `upgradeFailed`. */
  upgrade(cause: Cause): Promise<never>;
}

/** How long an upgrade waits for what is under way. */
const patienceMs = 60_000;
/** How often it looks again. No event tells when a pipe, a file or a channel is done. */
const lookAgainMs = 10;
/** How old the result of a check may be. An installation may be under way. */
const checkAgainMs = 2_000;
/** How long it waits before it says what it waits for. Most of it is over sooner. */
const sayAfterMs = 500;

export function createUpgrades(parts: UpgradeParts): Upgrades {
  const { image, platform, record, unfinished, publish } = parts;
  let underWay: Promise<never> | null = null;

  async function pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      platform.arm(lookAgainMs, resolve);
    });
  }

  function waitsFor(own: OwnImage): string | null {
    const what = unfinished();
    // Output that comes faster than it is written has to wait, or the upgrade would wait for it without end.
    parts.suspendOutput(what === null);
    if (what !== null) return what;
    if (!parts.isWritten())
      return 'a log file is being written, or lines that it lacks are still being counted';
    return own.flush() ? null : 'the reader of the log does not read';
  }

  /** Finds out whether the next image can take over. Resolves to when that was. */
  async function check(own: OwnImage): Promise<number> {
    await own.next.check(own.snapshot(record()));
    return platform.clock.monotonicMs();
  }

  async function run(cause: Cause): Promise<never> {
    publish({ event: 'upgradeRequested', cause });
    try {
      if (image === null)
        throw new GracefulRunError(
          'upgradeFailed',
          'cannot upgrade: this master runs inside another program, which cannot be replaced',
        );
      const own = await image();
      let checkedAt = await check(own);
      const begunAt = checkedAt;
      let said: string | null = null;
      for (;;) {
        const what = waitsFor(own);
        if (what === null) {
          if (platform.clock.monotonicMs() - checkedAt < checkAgainMs) break;
          // What is installed may have changed in the meantime.
          checkedAt = await check(own);
          continue;
        }
        const waitedMs = platform.clock.monotonicMs() - begunAt;
        if (waitedMs >= patienceMs)
          throw new GracefulRunError(
            'upgradeFailed',
            `cannot upgrade: gave up after waiting for ${formatDuration(patienceMs)}: ${what}`,
            { hint: 'ask again when that is over' },
          );
        if (waitedMs >= sayAfterMs && what !== said) {
          said = what;
          publish({ event: 'upgradeWaits', until: what });
        }
        await pause();
      }
      throw own.next.replace(own.snapshot(record()));
    } catch (error) {
      parts.suspendOutput(false);
      publish({
        event: 'upgradeFailed',
        // The event says that the upgrade failed.
        problem: messageOf(error).replace(/^cannot upgrade: /, ''),
        hint: error instanceof GracefulRunError ? error.hint : null,
      });
      throw error;
    }
  }

  return {
    async upgrade(cause) {
      underWay ??= run(cause).finally(() => {
        underWay = null;
      });
      return underWay;
    },
  };
}
