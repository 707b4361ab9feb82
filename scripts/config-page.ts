/** The tables of docs/config.md, from the keys of src/master/config/files/config-keys.ts. */
import { defaultKeys, fileKeys, masterKeys, programKeys } from '../src/master/config/files/config-keys.ts';
import { groupKeys } from '../src/master/config/files/group-keys.ts';
import type { ConfigKey } from '../src/master/config/files/key-schemas.ts';

export function programKeysTable(): string {
  return tableOf(programKeys, (key) => (Object.hasOwn(defaultKeys, key) ? '' : ', not in `[defaults]`'));
}

export function groupKeysTable(): string {
  return tableOf(groupKeys, () => '');
}

export function masterKeysTable(): string {
  return tableOf(masterKeys, () => '');
}

export function fileKeysTable(): string {
  const rows = Object.entries(fileKeys).map(([key, description]) => `| \`${key}\` | ${description} |`);
  return ['', '| key | meaning |', '| --- | --- |', ...rows, ''].join('\n');
}

function tableOf(keys: Readonly<Record<string, ConfigKey>>, remark: (key: string) => string): string {
  const rows = Object.entries(keys).map(([key, { type, default: preset, description, supervisor }]) => {
    const known = supervisor === null ? '' : `\`${supervisor}\``;
    return `| \`${key}\` | ${type}${remark(key)} | ${preset} | ${description.replaceAll('|', '\\|')} | ${known} |`;
  });
  return [
    '',
    '| key | type | default | meaning | Supervisor |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
