// What an operator can ask a real master for: another number of workers, and a reload that has drained.
import { expect, test } from 'vitest';
import { routes } from '../../src/shared/control-api.ts';
import { askControl, type ControlExchange } from '../../src/shared/control-client.ts';
import { begin } from '../helpers/plain-client.ts';
import { kill, type RunningMaster, runMaster } from '../helpers/run-master.ts';

function post(master: RunningMaster, route: string, body: unknown): Promise<ControlExchange> {
  return askControl({ path: master.controlSocket, method: 'POST', route, body });
}

test('the control API changes the number of workers to the one that is asked for', async () => {
  const master = runMaster();
  await master.serving();
  expect(await post(master, routes.scale, { workers: 3 })).toMatchObject({
    answer: { status: 200, body: '{"workers":3,"before":1}\n' },
  });
  expect(await master.waitFor('workerCountChanged')).toMatchObject({ fromCount: 1, toCount: 3 });
  await master.waitFor('workerReady', { slot: 2 });
  expect(await post(master, routes.scale, { workers: 1 })).toMatchObject({ answer: { status: 200 } });
  await master.waitFor('workerExited');
  expect((await master.status()).workersWanted).toBe(1);
  expect(await post(master, routes.scale, { workers: 0 })).toMatchObject({ answer: { status: 400 } });
});

test('a reload that is to be drained is answered when the last old worker has ended; one that is to serve, before', async () => {
  const master = runMaster();
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  expect(await post(master, routes.reload, { wait: 'serving' })).toMatchObject({ answer: { status: 200 } });
  const drained = post(master, routes.reload, { wait: 'drained' });
  await master.waitFor('workerExited', { generation: 2 });
  expect(master.all('workerExited').map(({ generation }) => generation)).toEqual([2]);
  kill(await master.workerPid(1), 'SIGUSR2');
  expect((await answer).body).toBe('begun, ended');
  const exchange = await drained;
  expect(exchange).toMatchObject({ answer: { status: 200 } });
  expect(master.all('workerExited').map(({ generation }) => generation)).toEqual([2, 1]);
});
