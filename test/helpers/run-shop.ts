/** Runs a master of one program `shop` that a config file declares, for options that the command line does not have. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { app, runMaster, temporaryFolder, type RunningMaster } from './run-master.ts';

export interface Shop {
  readonly master: RunningMaster;
  readonly folder: string;
  /** Writes the config file again, with these keys. */
  write(...keys: readonly string[]): void;
}

/** `keys`: lines of the program's table, beside its command and an address. */
export function runShop(
  keys: readonly string[],
  { command = app('serves'), env = {} }: { command?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Shop {
  const folder = temporaryFolder();
  const write = (...lines: readonly string[]): void => {
    const own = ['[program.shop]', `command = ${JSON.stringify(command)}`, 'listen = ["127.0.0.1:0"]'];
    writeFileSync(join(folder, 'shop.toml'), [...own, ...lines, ''].join('\n'));
  };
  write(...keys);
  const flags = ['-c', 'shop.toml', '--log-format', 'json', '--log-level', 'debug'];
  const master = runMaster({ name: 'shop', hasOwnFlags: false, flags, command: [], cwd: folder, env });
  return { master, folder, write };
}
