// Clients wait in the backlog while no worker is up; none is refused.
import { expect, test } from 'vitest';
import { runWithHeldBoots } from '../helpers/held-boots.ts';
import { get, queueUp, whoAnswers, type Answer } from '../helpers/plain-client.ts';
import { kill, runMaster } from '../helpers/run-master.ts';

async function expectAllAnswered(answers: readonly Promise<Answer>[], generation: number): Promise<void> {
  const whole = await Promise.all(answers);
  expect(whole.map(({ status }) => status)).toEqual(whole.map(() => 200));
  const generations = whole.map(({ body }) => (JSON.parse(body) as { generation: number }).generation);
  expect([...new Set(generations)]).toEqual([generation]);
}

test('the port is bound before any worker is up, and clients that come while it boots are all answered', async () => {
  const { master, bootOn } = runWithHeldBoots({ isHeld: true });
  await master.waitForLine('booting');
  const clients = await queueUp(await master.port(), 50);
  expect(master.all('workerReady')).toEqual([]);
  await bootOn(1);
  await expectAllAnswered(clients, 1);
});

test('clients that come after the only worker has crashed, and during its backoff, are all answered', async () => {
  const master = runMaster();
  const port = await master.serving();
  kill((await whoAnswers(port)).pid);
  // The replacement starts at once; when it fails too, the next one has to wait.
  const [first, second] = [await master.waitFor('restartScheduled', { failures: 1 }), queueUp(port, 50)];
  expect(first.delayMs).toBe(0);
  await expectAllAnswered(await second, 1);
  kill((await whoAnswers(port)).pid);
  const { delayMs } = await master.waitFor('restartScheduled', { failures: 2 });
  expect(delayMs).toBeGreaterThan(0);
  await expectAllAnswered(await queueUp(port, 50), 1);
});

test('during a reload clients are answered by the old generation until the new one serves', async () => {
  const { master, heldReload, bootOn } = runWithHeldBoots({ isHeld: false });
  const port = await master.serving();
  await heldReload();
  await expectAllAnswered(await queueUp(port, 50), 1);
  await bootOn(2);
  await master.waitFor('workerExited', { generation: 1 });
  await expectAllAnswered(await queueUp(port, 50), 2);
  expect((await get(port)).status).toBe(200);
});
