/** A master called `host` with programs from a config file, which can be changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gracefulctl, type Ended } from './run-gracefulctl.ts';
import { runMaster, temporaryFolder, type RunningMaster } from './run-master.ts';

export interface Host {
  readonly master: RunningMaster;
  /** Where the master runs. It contains the config file. */
  readonly folder: string;
  /** Writes the config file anew. `text` is what follows the table of the master. */
  readonly write: (text: string) => void;
  readonly ctl: (...args: readonly string[]) => Promise<Ended>;
  /** The lines that programs have written into the file `log`. */
  readonly log: () => readonly string[];
}

export interface RunningHost {
  readonly master: RunningMaster;
  /** Writes other programs into the config file, and updates the master. Fails if the update does. */
  readonly update: (programs: readonly string[]) => Promise<void>;
}

/** Starts the master. `text`: see `write`; `through`: see RunOptions. */
export function startHost(
  text: string,
  folder: string = temporaryFolder(),
  through: readonly string[] = [],
): Host {
  const log = join(folder, 'log');
  const write = (more: string): void => {
    writeFileSync(join(folder, 'graceful.toml'), `[master]\nname = "host"\n${more}`);
  };
  write(text);
  writeFileSync(log, '', { flag: 'a' });
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'graceful.toml', '--log-format', 'json', '--log-level', 'debug'],
    command: [],
    cwd: folder,
    name: 'host',
    through,
  });
  return {
    master,
    folder,
    write,
    ctl: (...args) => gracefulctl(args, { XDG_RUNTIME_DIR: master.runtime }),
    log: () => readFileSync(log, 'utf8').split('\n').slice(0, -1),
  };
}

/** Starts it with these lines after the table of the master. Resolves when the first generation is ready. */
export async function runHost(programs: readonly string[]): Promise<RunningHost> {
  const { master, write, ctl } = startHost(programs.join('\n'));
  await master.waitFor('generationReady', { generation: 1 });
  return {
    master,
    update: async (changed) => {
      write(changed.join('\n'));
      expect(await ctl('update')).toMatchObject({ code: 0 });
    },
  };
}

/** Whether an event is about this program. */
export function of(program: string): (event: object) => boolean {
  return (event) => Reflect.get(event, 'program') === program;
}
