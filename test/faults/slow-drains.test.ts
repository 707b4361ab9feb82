// Old generations that take long to drain pile up to a bound, and not beyond it.
import { expect, test } from 'vitest';
import { maxDrainingGenerations } from '../../src/master/config/options/fixed-bounds.ts';
import { eventually } from '../helpers/eventually.ts';
import { begin, whoAnswers, type Answer } from '../helpers/plain-client.ts';
import { kill, runMaster } from '../helpers/run-master.ts';

test('generations drain side by side up to the cap; then a reload waits for one of them to end', async () => {
  const master = runMaster();
  const port = await master.serving();
  const answers: Promise<Answer>[] = [];
  for (let generation = 1; generation <= maxDrainingGenerations; generation++) {
    expect((await whoAnswers(port)).generation).toBe(generation);
    answers.push((await begin(port, '/held')).answer);
    await master.reload(generation + 1);
    await master.waitFor('workerAcceptsNoMore', { generation });
  }
  const current = maxDrainingGenerations + 1;
  expect((await whoAnswers(port)).generation).toBe(current);
  expect(master.all('workerExited')).toEqual([]);
  master.signal('SIGHUP');
  await master.waitFor('reloadRequested', { generation: current + 1, pending: true });
  expect((await master.status()).workers).toHaveLength(maxDrainingGenerations + 1);
  expect(master.all('generationStarted')).toHaveLength(current);
  // The oldest but two ends, and makes room.
  kill(await master.workerPid(3), 'SIGUSR2');
  expect((await answers[2])?.status).toBe(200);
  await master.waitFor('generationReady', { generation: current + 1 });
  for (const generation of [1, 2, 4, 5, 6, 7, 8]) kill(await master.workerPid(generation), 'SIGUSR2');
  for (const answer of answers) expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
  await eventually('all have drained', async () => (await master.status()).workers.length === 1);
  expect(master.all('workerExited').every(({ cut }) => cut === 0)).toBe(true);
});
