/** A master whose workers boot for as long as a test needs them to: one that stands still writes the line `booting`. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { app, kill, runMaster, temporaryFolder, type RunningMaster } from './run-master.ts';

export interface HeldBoots {
  readonly master: RunningMaster;
  /** From now on workers boot at once: for a master that was started with held boots, or after a held reload. */
  readonly release: () => void;
  /** Lets a worker that stands still boot on. */
  readonly bootOn: (generation: number) => Promise<void>;
  /** Resolves when a reload has begun, and its worker stands still. */
  readonly heldReload: () => Promise<void>;
}

export function runWithHeldBoots({ isHeld }: { readonly isHeld: boolean }): HeldBoots {
  const file = join(temporaryFolder(), 'hold');
  const hold = (): void => {
    writeFileSync(file, '');
  };
  if (isHeld) hold();
  const master = runMaster({ command: app('boots-when-told'), env: { HOLD: file } });
  return {
    master,
    release: () => {
      rmSync(file);
    },
    bootOn: async (generation) => {
      kill(await master.workerPid(generation), 'SIGUSR2');
    },
    heldReload: async () => {
      hold();
      master.signal('SIGHUP');
      await master.waitForLine('booting');
    },
  };
}
