// A server of the kind that people write around Next.js: what it does with an http server is in the fixture.
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { get } from '../helpers/plain-client.ts';
import { runMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';
import { node } from './fixture.ts';
import { expectNoFailure } from './reload-under-load.ts';

const command = node('custom-server.mjs');

test('a custom server reloads under load without a failure, and no connection is closed', async () => {
  await expectNoFailure({ command });
});

test('what a custom server has upgraded goes on with the old worker, while the others move', async () => {
  const master = runMaster({ command });
  const port = await master.serving();
  await get(port);
  const [kept, upgraded] = [await Wire.connect(port), await Wire.connect(port)];
  kept.get('/');
  await kept.until('generation 1');
  upgraded.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await upgraded.until('101 Switching Protocols');
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  await eventually('the other one has moved', async () => {
    kept.received = '';
    kept.get('/');
    await kept.until('generation');
    return kept.received.includes('generation 2');
  });
  upgraded.write('still here');
  await upgraded.until('still here');
  expect(master.all('workerExited')).toEqual([]);
  upgraded.socket.end();
  expect(await upgraded.closed).toBe('end');
  const { outcome, migrated, cut } = await master.waitFor('workerExited', { generation: 1 });
  expect({ code: outcome.code, migrated, cut }).toEqual({ code: 0, migrated: 1, cut: 0 });
  kept.socket.destroy();
});
