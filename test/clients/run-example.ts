/** Runs an example of docs/programs.md as it stands there: only the port is another one. */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../helpers/plain-client.ts';
import { programFolders } from '../helpers/required-programs.ts';
import { runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import type { Example } from './program-examples.ts';

/** The environment of a program. */
export const env: NodeJS.ProcessEnv = { ...process.env, PATH: programFolders.join(':') };

export interface RunningExample {
  readonly master: RunningMaster;
  readonly port: number;
  readonly cwd: string;
}

/** Resolves when the first generation serves. */
export async function startExample({ files, setup, flags, command }: Example): Promise<RunningExample> {
  const port = await freePort();
  const onPort = (text: string): string => text.replaceAll('8000', String(port));
  const cwd = folderFor(files.map(({ path, text }) => ({ path, text: onPort(text) })));
  for (const line of setup) execFileSync('sh', ['-c', line], { cwd, env });
  const master = runMaster({
    cwd,
    env,
    hasOwnFlags: false,
    name: 'example',
    flags: [...log, ...(command.length > 0 ? ofProgram : []), ...flags.map(onPort)],
    command: command.map(onPort),
  });
  await master.serving();
  return { master, port, cwd };
}

/** A folder with these files, which is removed when the test ends. */
export function folderFor(files: Example['files']): string {
  const folder = temporaryFolder();
  // php-fpm runs scripts as another user.
  chmodSync(folder, 0o755);
  for (const { path, text } of files) writeFileSync(join(folder, path), text);
  return folder;
}

const log = ['--log-level', 'debug', '--log-format', 'json'];
const ofProgram = ['--name', 'example', '--probation', '0s', '--startsecs', '300ms'];
