/** The databases of users and groups, passwd(5) and group(5): lines of fields that begin with a name. */
import { readFileSync } from 'node:fs';

export type Database = 'passwd' | 'group';

/** The database file of this machine; empty if there is none. */
export function readDatabase(database: Database): string {
  try {
    return readFileSync(`/etc/${database}`, 'utf8');
  } catch {
    return '';
  }
}

/** The fields of the line of `name` or, if that is a number, of the first line with this number. Null if there is no such line. */
export function fieldsOf(text: string, name: string): readonly string[] | null {
  const lines = text.split('\n').map((line) => line.split(':'));
  const isNumber = /^\d+$/.test(name);
  return lines.find((fields) => fields.length > 2 && fields[isNumber ? 2 : 0] === name) ?? null;
}
