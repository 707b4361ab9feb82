// kill -9 and kill -STOP of workers, at the worst moments.
import { expect, test } from 'vitest';
import { runWithHeldBoots } from '../helpers/held-boots.ts';
import { begin, whoAnswers } from '../helpers/plain-client.ts';
import { kill, runMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

test('a candidate that is killed is rolled back', async () => {
  const { master, heldReload } = runWithHeldBoots({ isHeld: false });
  const port = await master.serving();
  const load = startLoad({ port, mode: 'fresh' });
  await heldReload();
  kill(await master.workerPid(2));
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure).toMatchObject({ reason: 'exited', outcome: { code: null, signal: 'SIGKILL' } });
  await load.moreAnswers(5);
  expect(failureCounts(await load.stop())).toEqual({});
  expect((await whoAnswers(port)).generation).toBe(1);
});

test('an old worker that is killed during its drain is gone, and nothing else changes', async () => {
  const master = runMaster();
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  await master.reload(2);
  kill(await master.workerPid(1));
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    from: 'draining',
    outcome: { signal: 'SIGKILL' },
    served: null,
  });
  await expect(answer).rejects.toThrow();
  expect((await whoAnswers(port)).generation).toBe(2);
  expect(master.all('restartScheduled')).toEqual([]);
});

test('the current worker that is killed during a reload is replaced, and the reload goes on', async () => {
  const { master, heldReload, bootOn } = runWithHeldBoots({ isHeld: false });
  const port = await master.serving();
  await heldReload();
  kill(await master.workerPid(1));
  await master.waitFor('restartScheduled', { generation: 1, delayMs: 0 });
  await bootOn(2);
  await master.waitFor('generationReady', { generation: 2 });
  expect((await whoAnswers(port)).generation).toBe(2);
});

test('a worker that is stopped does not keep a reload from ending', async () => {
  const master = runMaster({ flags: ['--drain-timeout', '100ms'] });
  const port = await master.serving();
  kill(await master.workerPid(1), 'SIGSTOP');
  await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    from: 'killing',
    outcome: { signal: 'SIGKILL' },
  });
  expect((await whoAnswers(port)).generation).toBe(2);
});
