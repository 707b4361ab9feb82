// Workers that start processes of their own.
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { get } from '../helpers/plain-client.ts';
import { app, kill, runMaster } from '../helpers/run-master.ts';

test('what a worker has started in its process group ends with it, at a drain as at a crash', async () => {
  const master = runMaster({ command: app('leaves-children') });
  const port = await master.serving();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  // The master, the worker and its one process.
  await eventually('three are left', () => master.processes().length === 3);
  kill(await master.workerPid(2));
  await master.waitFor(
    'workerReady',
    (event) =>
      event.generation === 2 &&
      event.from === 'starting' &&
      master.all('workerReady', { generation: 2 }).length === 2,
  );
  await eventually('three are left', () => master.processes().length === 3);
  expect((await get(port)).status).toBe(200);
});

test('a process that has left the group and holds stderr does not keep the end of its worker from being noticed', async () => {
  const master = runMaster({ command: app('leaves-children'), env: { ESCAPES: '1' } });
  await master.serving();
  const stray = Number((await master.waitForLine('escaped')).split(' ')[1]);
  kill(await master.workerPid(1));
  await master.waitFor('workerFailed', { generation: 1 });
  const second = Number((await master.waitForLine('escaped', 2)).split(' ')[1]);
  // A worker that is not ready is killed, with everything that it has started.
  await eventually('the second worker serves', () => master.all('workerAdmitted').length === 2);
  // A worker that ends by itself leaves alone what has left its group and session; a stop does not.
  expect([stray, second].map(isAlive)).toEqual([true, true]);
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect([stray, second].map(isAlive)).toEqual([false, false]);
});
