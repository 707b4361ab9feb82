/**
 * What operators want of the programs of one master, kept in a small file over the end of the master: a program that was stopped stays stopped. Only
 * what differs from `autostart` is kept. The file is replaced as a whole, so it is never half written. Loaded only where it is wanted.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import type { MasterEvent } from '../../shared/events.ts';

export interface Remembered {
  /** Whether the program is to be started with the master. */
  isWanted(program: string, autostart: boolean): boolean;
  /** Keeps what is wanted now. Never rejects: a problem is told as an event. */
  keep(programs: readonly WantedProgram[]): Promise<void>;
}

export interface WantedProgram {
  readonly name: string;
  readonly isWanted: boolean;
  readonly autostart: boolean;
}

const version = 1;

/**
 * Where the file of the master of this name is: it has to survive a boot of the machine, so it is not beside the control socket. systemd says where
 * with `StateDirectory=`.
 */
export function rememberedFile(name: string, environment: NodeJS.ProcessEnv, uid: number): string {
  const [ofService = ''] = (environment['STATE_DIRECTORY'] ?? '').split(':');
  const ofUser = environment['XDG_STATE_HOME'];
  const folder =
    ofService !== ''
      ? ofService
      : ofUser !== undefined && ofUser !== ''
        ? join(ofUser, 'graceful-run')
        : uid === 0
          ? '/var/lib/graceful-run'
          : join(environment['HOME'] ?? homedir(), '.local/state/graceful-run');
  return join(folder, `${name}.json`);
}

/** A file that is missing is empty, and one that cannot be read, or is broken, is told and then taken as empty. */
export async function openRemembered(
  file: string,
  publish: (event: MasterEvent) => void,
): Promise<Remembered> {
  const fail = (problem: string): void => {
    publish({ event: 'rememberedFailed', file, problem });
  };
  let known = new Map<string, boolean>();
  let last: Promise<void> = Promise.resolve();
  try {
    known = parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') fail(messageOf(error));
  }

  async function write(): Promise<void> {
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const text = JSON.stringify({ version, wanted: Object.fromEntries(known) });
      await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (error) {
      fail(messageOf(error));
    }
  }

  return {
    isWanted: (program, autostart) => known.get(program) ?? autostart,
    async keep(programs) {
      const next = new Map(
        programs.flatMap(({ name, isWanted, autostart }) =>
          isWanted === autostart ? [] : [[name, isWanted] as const],
        ),
      );
      const isSame = next.size === known.size && [...next].every(([name, is]) => known.get(name) === is);
      known = next;
      if (!isSame) last = last.then(write);
      return last;
    },
  };
}

/** @throws Error */
function parse(text: string): Map<string, boolean> {
  const value: unknown = JSON.parse(text);
  const wanted: unknown = isTable(value) && value['version'] === version ? value['wanted'] : null;
  if (!isTable(wanted)) throw new Error('it is not a file of this version of graceful-run');
  const entries = Object.entries(wanted).flatMap(([name, is]) =>
    typeof is === 'boolean' ? [[name, is] as const] : [],
  );
  return new Map(entries);
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
