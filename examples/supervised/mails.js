// Sends the mails of the queue, one after the other: here it only says so. On SIGTERM it finishes the one that it has begun.
import { readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const { SPOOL = 'spool' } = process.env;
const stopping = new AbortController();

process.on('SIGTERM', () => {
  stopping.abort();
});

while (!stopping.signal.aborted) {
  const names = (await readdir(SPOOL)).filter((name) => name.endsWith('.mail'));
  for (const name of names) {
    if (stopping.signal.aborted) break;
    await send(join(SPOOL, name));
  }
  await wait(200, undefined, { signal: stopping.signal }).catch(() => undefined);
}

async function send(path) {
  const mail = await readFile(path, 'utf8');
  // During a reload two workers look into the queue: one of them gets it.
  const isOurs = await rename(path, `${path}.sent`).then(
    () => true,
    () => false,
  );
  if (isOurs) console.log(`sent: ${mail.trim()}`);
}
