// Several workers share the one listener; a reload starts all of them before it drains any.
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { runMaster } from '../helpers/run-master.ts';

test('the workers of a generation all answer on the one port', async () => {
  const master = runMaster({ flags: ['--workers', '2'] });
  const port = await master.serving();
  const pids = [await master.workerPid(1, 0), await master.workerPid(1, 1)];
  const seen = new Set<number>();
  await eventually('both have answered', async () => {
    for (const { pid } of await Promise.all(Array.from({ length: 8 }, () => whoAnswers(port)))) seen.add(pid);
    return seen.size === 2;
  });
  expect([...seen].sort()).toEqual(pids.sort());
});

test('a reload starts all workers before it drains any', async () => {
  const master = runMaster({ flags: ['--workers', '2'] });
  await master.serving();
  const before = master.events.length;
  master.signal('SIGHUP');
  await master.waitFor('workerExited', { generation: 1, slot: 0 });
  await master.waitFor('workerExited', { generation: 1, slot: 1 });
  const events = master.events.slice(before).map(({ event }) => event);
  expect(events.slice(0, 4)).toEqual([
    'reloadRequested',
    'generationStarted',
    'workerStarted',
    'workerStarted',
  ]);
  expect(events.slice(4, 9)).toEqual([
    'workerReady',
    'workerReady',
    'workerAdmitted',
    'workerAdmitted',
    'generationReady',
  ]);
  expect(events.slice(9).sort()).toEqual([
    'workerAcceptsNoMore',
    'workerAcceptsNoMore',
    'workerDraining',
    'workerDraining',
    'workerExited',
    'workerExited',
  ]);
});

test('auto starts one worker for every core', async () => {
  const master = runMaster({ flags: ['--workers', 'auto'] });
  expect((await master.waitFor('generationStarted')).workers).toBe(availableParallelism());
  await master.serving();
});

test('SIGTTIN adds a worker, SIGTTOU drains one, and the last one stays', async () => {
  const master = runMaster();
  await master.serving();
  master.signal('SIGTTIN');
  await master.waitFor('workerReady', { slot: 1 });
  master.signal('SIGTTOU');
  const draining = await master.waitFor('workerDraining', { slot: 1 });
  expect(draining.reason).toBe('scaleDown');
  await master.waitFor('workerExited', { slot: 1 });
  master.signal('SIGTTOU');
  master.signal('SIGHUP');
  expect((await master.waitFor('generationStarted', { generation: 2 })).workers).toBe(1);
  expect(master.all('workerCountChanged').map(({ fromCount, toCount }) => [fromCount, toCount])).toEqual([
    [1, 2],
    [2, 1],
  ]);
  await master.waitFor('workerExited', { generation: 1, slot: 0 });
});

test('a reload keeps the count that was asked for', async () => {
  const master = runMaster();
  await master.serving();
  master.signal('SIGTTIN');
  await master.waitFor('workerReady', { slot: 1 });
  master.signal('SIGHUP');
  expect((await master.waitFor('generationStarted', { generation: 2 })).workers).toBe(2);
  await master.waitFor('generationReady', { generation: 2 });
});
