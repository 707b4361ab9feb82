/** The folders in which gracefulctl looks for masters. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientFolders } from '../../shared/control-path.ts';
import type { Search } from './find-masters.ts';

/** Describes the search for masters by the user that runs this command. */
export function ownSearch(): Search {
  const uid = process.geteuid?.() ?? 0;
  const folders = clientFolders(process.env, uid);
  const only = process.env['GRACEFUL_RUN_CONTROL_FOLDER'] ?? '';
  return { folders, foreignFolders: only === '' ? foreignFolders() : [], uid };
}

/** Returns the folders in which masters of other users usually have their sockets. */
function foreignFolders(): readonly string[] {
  return [
    '/run/graceful-run',
    ...entriesOf('/run/user').map((user) => join('/run/user', user, 'graceful-run')),
    ...entriesOf(tmpdir())
      .filter((entry) => /^graceful-run-\d+$/.test(entry))
      .map((entry) => join(tmpdir(), entry)),
  ];
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
