/** A master called `host` with programs from a config file, which can be changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gracefulctl } from './run-gracefulctl.ts';
import { runMaster, temporaryFolder, type RunningMaster } from './run-master.ts';

export interface RunningHost {
  readonly master: RunningMaster;
  /** Writes other programs into the config file, and updates the master. Fails if the update does. */
  readonly update: (programs: readonly string[]) => Promise<void>;
}

/** Starts the master. `programs`: the lines of the config file after those of the master. Resolves when the first generation is ready. */
export async function runHost(programs: readonly string[]): Promise<RunningHost> {
  const folder = temporaryFolder();
  const write = (lines: readonly string[]): void => {
    writeFileSync(join(folder, 'graceful.toml'), `${['[master]', 'name = "host"', ...lines].join('\n')}\n`);
  };
  write(programs);
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'graceful.toml', '--log-format', 'json', '--log-level', 'debug'],
    command: [],
    cwd: folder,
    name: 'host',
  });
  await master.waitFor('generationReady', { generation: 1 });
  return {
    master,
    update: async (changed) => {
      write(changed);
      expect(await gracefulctl(['update'], { XDG_RUNTIME_DIR: master.runtime })).toMatchObject({ code: 0 });
    },
  };
}
