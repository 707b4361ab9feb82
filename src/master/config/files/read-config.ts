/**
 * Compiles a config file and the files that it includes into a plan, or lists everything that is wrong with them. Runs code of the user if the file is a
 * program.
 */
import { compileConfig, type Compiled } from './compile-config.ts';
import type { Environment } from './read-tables.ts';
import { loadFiles } from './load-files.ts';

/**
 * Reads and compiles the file at `path`, which is absolute. Never rejects for what the files contain. `beforeCode`: called before code of the user runs for
 * the first time.
 */
export async function readConfig(
  path: string,
  environment: Environment,
  beforeCode: () => void = () => undefined,
): Promise<Compiled> {
  return compileConfig(await loadFiles(path, environment, beforeCode), path, environment);
}
