// Programs that serve from threads or processes of their own: they work, or the reason that they hear fits.
import { expect, test } from 'vitest';
import { freePort, get } from '../helpers/plain-client.ts';
import { app, runMaster } from '../helpers/run-master.ts';

test('a cluster of its own serves, and is reloaded', async () => {
  const master = runMaster({ command: app('has-own-processes', 'default') });
  const port = await master.serving();
  expect((await get(port)).body).toBe('generation 1');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1, cut: 0 });
  expect((await get(port)).body).toBe('generation 2');
});

test('a cluster of its own takes over again, more than once, and can be reloaded afterwards', async () => {
  const master = runMaster({
    command: app('has-own-processes', 'default'),
    flags: ['--probation', '60s'],
  });
  const port = await master.serving();
  for (const generation of [2, 3]) {
    await master.reload(generation);
    expect((await get(port)).body).toBe(`generation ${generation}`);
    await get(port, '/crash').catch(() => undefined);
    await master.waitFor('generationRolledBack', { generation, to: 1 });
    for (let n = 0; n < 3; n++) expect((await get(port)).body).toBe('generation 1');
  }
  await master.reload(4);
  expect((await get(port)).body).toBe('generation 4');
  await master.reload(5);
  await master.waitFor('workerExited', { generation: 1, cut: 0 });
});

test.each([
  ['none', 'SCHED_RR'],
  ['exclusive', 'without exclusive: true'],
  ['thread', 'worker thread'],
])('one that binds the held port by itself (%s) fails with that as the reason', async (how, words) => {
  const master = runMaster({ command: app('has-own-processes', how) });
  const port = await master.port();
  const { failure } = await master.waitFor('generationFailed', { generation: 1 });
  expect(failure.hint).toContain(words);
  expect(failure.hint).toContain(String(port));
});

test('a thread listens on a TCP port that is declared only for UDP', async () => {
  const port = await freePort();
  const master = runMaster({
    command: app('has-own-processes', 'beside-udp'),
    hasOwnFlags: false,
    flags: ['--name', 'app', '--log-format', 'json', '--listen', `udp:127.0.0.1:${port}`],
  });
  await master.waitFor('generationReady', { generation: 1 });
  expect((await get(port)).body).toBe('generation 1');
});
