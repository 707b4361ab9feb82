/** Which config file a folder has: what `graceful-run` reads when it is given neither a command nor a file. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GracefulRunError } from '../../shared/errors.ts';

/** The names of config files, the best known first. */
export const configFileNames: readonly string[] = ['toml', 'yaml', 'yml', 'json', 'js', 'mjs', 'ts'].map(
  (ending) => `graceful.${ending}`,
);

/** Finds the config file of a folder; null if it has none. Error: `badOption` if it has several. */
export function findConfig(folder: string): string | null {
  const [first, second] = configFileNames
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));
  if (first !== undefined && second !== undefined)
    throw new GracefulRunError(
      'badOption',
      `cannot start: there are two config files, ${first} and ${second}`,
      {
        hint: `choose one: graceful-run -c ${first}`,
      },
    );
  return first ?? null;
}
