// Processes that begin to exit and never come to the end.
import { expect, test } from 'vitest';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { app, runMaster } from '../helpers/run-master.ts';

test.each([
  ['an uncaught error', '/crash', 1],
  ['process.exit()', '/leave', 3],
])('a worker that hangs in its exit after %s is killed, and another one serves', async (_, path, code) => {
  const master = runMaster({ command: app('hangs-at-exit') });
  const port = await master.serving();
  const pid = await master.workerPid(1);
  const answer = get(port, path).catch(() => null);
  expect(await master.waitFor('exitHung')).toMatchObject({ pid, process: pid, code });
  await answer;
  const { failure } = await master.waitFor('workerFailed', { pid });
  expect(failure).toMatchObject({ outcome: { code, signal: null } });
  const other = await master.waitFor('workerReady', (event) => event.pid !== pid);
  expect((await whoAnswers(port)).pid).toBe(other.pid);
});

test('one that hangs in the exit at the end of its drain holds up neither a reload nor a stop', async () => {
  const master = runMaster({ command: app('hangs-at-exit'), flags: ['--drain-timeout', '1h'] });
  await master.serving();
  await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    outcome: { code: 0, signal: null },
  });
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(master.all('exitHung')).toMatchObject([
    { generation: 1, code: 0 },
    { generation: 2, code: 0 },
  ]);
});
