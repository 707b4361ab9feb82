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
  // During a reload two workers read the queue: only the one whose rename succeeds sends the mail.
  const isOurs = await rename(path, `${path}.sent`).then(
    () => true,
    () => false,
  );
  if (!isOurs) return;
  const mail = await readFile(`${path}.sent`, 'utf8');
  console.log(`sent: ${mail.trim()}`);
}
