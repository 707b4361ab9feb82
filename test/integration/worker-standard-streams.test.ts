import { once } from 'node:events';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { app, runMaster } from '../helpers/run-master.ts';

test('a program that writes megabytes to the descriptor of its stdout does so as without a master', async () => {
  const master = runMaster({ command: app('writes-to-descriptors') });
  const port = await master.serving();
  // What was switched to non-blocking by us would be by now: the new worker takes connections after its first moments.
  const client = await get(port, '/');
  expect(client).toMatchObject({ status: 200 });
  let bytes = 0;
  master.child.stdout?.on('data', (chunk: Buffer | string) => (bytes += chunk.length));
  for (let at = 0; at < 3; at += 1) {
    expect(await get(port, '/much')).toMatchObject({ status: 200, body: 'written' });
  }
  master.signal('SIGTERM');
  if (master.child.stdout?.readableEnded === false) await once(master.child.stdout, 'end');
  expect(bytes).toBe(9_000_000);
});
