/** A small JSON file in which the master keeps data beyond its own end. It is replaced as a whole, so it is never half written. */
import { mkdir, readFile, rename, rm, writeFile } from '../file-promises.ts';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import type { MasterEvent } from '../../shared/events.ts';

export interface StateFile {
  /** The content of the file, or null if there was none, or it could not be read. */
  readonly content: Readonly<Record<string, unknown>> | null;
  /** Writes the file. Content that still waits to be written is replaced by newer content. Never rejects: a problem is reported as an event. */
  readonly write: (content: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Resolves when no content waits to be written. */
  readonly written: () => Promise<void>;
  /** Removes the file, once nothing waits to be written. Never rejects. */
  readonly remove: () => Promise<void>;
}

/**
 * The path of the file with this name. It has to survive a reboot of the machine, so it is not beside the control socket. systemd names the directory with
 * `StateDirectory=`.
 */
export function stateFile(name: string, environment: NodeJS.ProcessEnv): string {
  const [ofService = ''] = (environment['STATE_DIRECTORY'] ?? '').split(':');
  const ofUser = environment['XDG_STATE_HOME'];
  const folder =
    ofService !== ''
      ? ofService
      : ofUser !== undefined && ofUser !== ''
        ? join(ofUser, 'graceful-run')
        : process.geteuid?.() === 0
          ? '/var/lib/graceful-run'
          : join(environment['HOME'] ?? homedir(), '.local/state/graceful-run');
  return join(folder, `${name}.json`);
}

/** Opens the file. A missing file counts as empty. One that cannot be read, or is broken, is reported and then counts as empty. */
export async function openStateFile(
  file: string,
  version: number,
  publish: (event: MasterEvent) => void,
): Promise<StateFile> {
  const fail = (problem: string): void => {
    publish({ event: 'rememberedFailed', file, problem });
  };
  let content: Readonly<Record<string, unknown>> | null = null;
  let latest: Readonly<Record<string, unknown>> = {};
  let waiting: Promise<void> | null = null;
  let last: Promise<void> = Promise.resolve();
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isTable(value) && value['version'] === version) content = value;
    else fail('it is not a file of this version of graceful-run');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') fail(messageOf(error));
  }

  async function save(): Promise<void> {
    waiting = null;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(`${file}.new`, `${JSON.stringify({ version, ...latest })}\n`, { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch (error) {
      fail(messageOf(error));
    }
  }

  return {
    content,
    async write(next) {
      latest = next;
      waiting ??= last.then(save);
      last = waiting;
      return waiting;
    },
    written: async () => last,
    async remove() {
      await last;
      await rm(file, { force: true }).catch(() => undefined);
    },
  };
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
