// Removes mails from the queue that have been sent and are more than DAYS days old.
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const { SPOOL = 'spool', DAYS = '7' } = process.env;
const oldest = Date.now() - Number(DAYS) * 24 * 3600 * 1000;

let removed = 0;
for (const name of await readdir(SPOOL)) {
  const path = join(SPOOL, name);
  if (!name.endsWith('.sent') || (await stat(path)).mtimeMs > oldest) continue;
  await unlink(path);
  removed += 1;
}
console.log(`removed ${removed} mails`);
