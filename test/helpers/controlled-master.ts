/** A master of many programs inside this process, with a control socket, whose plan can be replaced as an edited config file would. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { compileOptions, type ProgramOptions } from '../../src/master/config/options.ts';
import type { Plan } from '../../src/master/config/plan.ts';
import { noPlaces } from '../../src/master/config/plan-places.ts';
import { createMasterOf, type OwnedMaster } from '../../src/master/master.ts';
import { app, temporaryFolder } from './run-master.ts';

export interface Controlled {
  readonly master: OwnedMaster;
  /** Of its control socket. */
  readonly folder: string;
  readonly path: string;
  /** What the next update reads. */
  read: () => Plan;
}

/** `file` null: as if it had been started from code. It is stopped when the test ends. */
export async function controlledMaster(plan: Plan, folder: string = temporaryFolder()): Promise<Controlled> {
  const controlled: Controlled = {
    master: createMasterOf(plan, {
      environment: { ...process.env, GRACEFUL_RUN_CONTROL_FOLDER: folder },
      onStderr: () => undefined,
      readPlan:
        plan.master.file === null
          ? null
          : () => Promise.resolve().then(() => ({ plan: controlled.read(), places: noPlaces })),
    }),
    folder,
    path: join(folder, `${plan.master.name ?? plan.programs[0]?.name ?? ''}.sock`),
    read: () => plan,
  };
  onTestFinished(() => controlled.master.stop());
  await controlled.master.start();
  return controlled;
}

/** A plan of programs of test/fixtures/apps, as a config file would be compiled. */
export function planOf(
  name: string,
  programs: Readonly<Record<string, ProgramOptions>>,
  file: string | null = '/etc/graceful.toml',
): Plan {
  const plan = compileOptions({ name, programs }, process.cwd(), 'code');
  return { ...plan, master: { ...plan.master, file } };
}

export function serving(options: Partial<ProgramOptions> = {}): ProgramOptions {
  return { command: app('serves'), listen: ['127.0.0.1:0'], probation: '0s', ...options };
}
