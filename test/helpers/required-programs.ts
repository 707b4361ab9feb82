/** Whether the programs and rights that a test needs are there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** In CI a program that is not installed is a failure: .ci/run installs them. Elsewhere its tests are skipped. */
export const isRequired: boolean = process.env['GRACEFUL_RUN_PROGRAMS'] === 'required';

/**
 * False: a test that needs this is skipped. CI is root on Linux and may mount, make namespaces and change control groups: there the test runs,
 * and fails if any of that is missing.
 */
export function mayRun(hasWhatItNeeds: boolean): boolean {
  return isRequired || hasWhatItNeeds;
}

export const isRoot: boolean = process.geteuid?.() === 0;

/** Where commands are looked for: also in the folder of most servers. */
export const programFolders: readonly string[] = (process.env['PATH'] ?? '').split(':').concat('/usr/sbin');

/** False: a test that needs these commands is skipped. */
export function canRun(commands: readonly string[]): boolean {
  return mayRun(
    commands.every((command) => programFolders.some((folder) => existsSync(join(folder, command)))),
  );
}
