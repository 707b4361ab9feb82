/** Whether the keys of a table are known, and what was probably meant. */
import { nearest } from '../../../shared/nearest.ts';
import { aliases, masterKeys, programKeys } from './config-keys.ts';
import { problemWithKey, type TableNode } from './document.ts';
import { foreignKey } from './foreign-keys.ts';
import type { ConfigKey } from './key-schemas.ts';
import type { Report } from './read-tables.ts';

export type Where = 'file' | 'master' | 'defaults' | 'program' | 'group';

export function checkKeys(
  table: TableNode,
  known: Readonly<Record<string, ConfigKey | string | null>>,
  where: Where,
  report: Report,
): void {
  for (const key of table.entries.keys()) {
    if (Object.hasOwn(known, key)) {
      const same = aliases.get(key);
      if (same !== undefined && table.entries.has(same))
        report(
          problemWithKey(
            table,
            key,
            `is another name of ${same}, which is given as well`,
            'remove one of them',
          ),
        );
      continue;
    }
    if (where === 'defaults' && Object.hasOwn(programKeys, key)) {
      report(problemWithKey(table, key, 'every program has its own', 'put it into [program.NAME]'));
      continue;
    }
    report(problemWithKey(table, key, 'there is no such key', hintForKey(key, Object.keys(known), where)));
  }
}

export function hintForKey(key: string, known: readonly string[], where: Where): string {
  const foreign = foreignKey(key, where === 'defaults' ? 'program' : where);
  if (foreign !== null) return foreign;
  if (where === 'file' && Object.hasOwn(programKeys, key))
    return 'put it into [program.NAME], or into [defaults]';
  if (where === 'file' && Object.hasOwn(masterKeys, key)) return 'put it into [master]';
  const words = known.filter((word) => word !== '$schema');
  const meant = nearest(key.replaceAll('-', '_'), words);
  return meant === null ? `there are ${words.join(', ')}` : `did you mean ${meant}?`;
}
