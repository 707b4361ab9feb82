/** Whether the programs that a test needs are installed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** In CI a program that is not installed is a failure: .ci/run installs them. Elsewhere its tests are skipped. */
export const isRequired: boolean = process.env['GRACEFUL_RUN_PROGRAMS'] === 'required';

/** Where commands are looked for: also in the folder of most servers. */
export const programFolders: readonly string[] = (process.env['PATH'] ?? '').split(':').concat('/usr/sbin');

/** False: a test that needs these commands is skipped. */
export function canRun(commands: readonly string[]): boolean {
  return (
    isRequired ||
    commands.every((command) => programFolders.some((folder) => existsSync(join(folder, command))))
  );
}
