/** The values of a program's keys → options of code. */
import { resolve } from 'node:path';
import type { CheckedProgram } from '../check-plan.ts';
import { parseListenAddress } from '../options/listen-address.ts';
import { keyOfOption } from '../options/option-names.ts';
import { placeLogfile } from '../options/output-options.ts';
import type { InapplicableTcpOption } from '../options/tcp-options.ts';
import { listenersOf, type ProgramOptions } from '../options.ts';
import { hintForKey } from './check-keys.ts';
import { programKeys } from './config-keys.ts';
import { nodeAt, type PlanNode, type TableNode } from './document.ts';

/** Converts the values of a program to options of code. Relative paths start at the folder of the file in which they are written. */
export function optionsOf(
  table: TableNode,
  values: Readonly<Record<string, unknown>>,
  command: readonly string[],
): ProgramOptions {
  const path = (key: string): string | undefined => {
    const value = values[key];
    return typeof value === 'string' ? resolve(folderOf(table, key), value) : undefined;
  };
  const logfile = (key: string): string | undefined => {
    const value = values[key];
    return typeof value === 'string' ? placeLogfile(value, folderOf(table, key)) : undefined;
  };
  const asTheyAre = Object.entries(programKeys).flatMap(([key, { option }]) =>
    option === undefined ? [] : [[option, values[key]] as const],
  );
  const options: Record<string, unknown> = {
    ...Object.fromEntries(asTheyAre),
    command,
    cwd: path('directory'),
    stdoutLogfile: logfile('stdout_logfile'),
    stderrLogfile: logfile('stderr_logfile'),
    environmentFile: path('env_file'),
    environment: variablesOf(values['environment']),
    watch: Array.isArray(values['watch'])
      ? values['watch'].map((one) => resolve(folderOf(table, 'watch'), String(one)))
      : values['watch'],
    ...addressesOf(values, folderOf(table, 'listen')),
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  // Checked again by the schema of compileProgram, which takes nothing on trust.
  return Object.fromEntries(given) as unknown as ProgramOptions;
}

function folderOf(table: TableNode, key: string): string {
  return (table.entries.get(key)?.node ?? table).source.folder;
}

export function variablesOf(value: unknown): Record<string, string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

/** The addresses of a program as options of code. It is not an error here if there are none: that is a fault of the plan as a whole. */
function addressesOf(
  { port, host, listen }: Readonly<Record<string, unknown>>,
  folder: string,
): Pick<ProgramOptions, 'port' | 'host' | 'listen'> {
  const addresses = listOf(listen);
  // A host of [defaults] means nothing to a program without an address.
  const at = typeof host === 'string' && (typeof port === 'number' || addresses.length > 0) ? { host } : {};
  if (typeof port === 'number') return { port, ...at };
  return {
    ...at,
    listen: addresses.map((written) => {
      const address = parseListenAddress(written);
      if (address?.type !== 'unix') return written;
      const name = address.name === null ? '' : `${address.name}=`;
      const { path } = address;
      return `${name}unix:${path.startsWith('@') ? path : resolve(folder, path)}`;
    }),
  };
}

/** The value of an option, or an element of it; undefined if the table does not have it. */
export function nodeOfOption(
  table: TableNode,
  [option, ...rest]: readonly PropertyKey[],
): PlanNode | undefined {
  const key = keyOfOption(String(option));
  return table.entries.has(key) ? nodeAt(table, [key, ...rest]) : undefined;
}

/** The listeners of a program, or null if one of the keys that define them is wrong. */
export function knownListeners(
  table: TableNode,
  values: Readonly<Record<string, unknown>>,
): CheckedProgram['listeners'] {
  const given = ['port', 'host', 'listen'].filter((key) => table.entries.has(key));
  if (given.some((key) => values[key] === undefined) || (given.includes('port') && given.includes('listen')))
    return null;
  const hasAddress = given.includes('port') || given.includes('listen');
  // The type is wrong, so the program may be one that needs no address.
  if (!hasAddress && table.entries.has('type') && values['type'] === undefined) return null;
  // A mistyped key is what is wrong, such as `prot = 3000`, and not a missing address.
  if (!hasAddress && [...table.entries.keys()].some(isMeantAsAddress)) return null;
  const folder = folderOf(table, 'listen');
  const addresses = { ...socketOptionsOf(values), ...addressesOf(values, folder) };
  return listenersOf(addresses, folder, { as: 'code', program: null });
}

function isMeantAsAddress(key: string): boolean {
  if (Object.hasOwn(programKeys, key)) return false;
  const hint = hintForKey(key, Object.keys(programKeys), 'program');
  return /\b(?:port|listen)\b/.test(hint) && !hint.startsWith('there are');
}

/** The keys of options that not every kind of socket has. */
const socketKeys = {
  ipv6Only: 'ipv6_only',
  tcpFastOpen: 'tcp_fast_open',
  deferAccept: 'defer_accept',
  keepalive: 'keepalive',
  freebind: 'freebind',
  socketMode: 'socket_mode',
  socketOwner: 'socket_owner',
} as const satisfies Record<InapplicableTcpOption['option'], string>;

function socketOptionsOf(values: Readonly<Record<string, unknown>>): Partial<ProgramOptions> {
  const options = Object.entries(socketKeys).flatMap(([option, key]) =>
    values[key] === undefined ? [] : [[option, values[key]] as const],
  );
  // Checked by the schema of the file.
  return Object.fromEntries(options);
}

export function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
