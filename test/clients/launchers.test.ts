// Servers that are not started by `node` itself, behind the built command.
import { expect, test } from 'vitest';
import { fixture, fixtures, node } from './fixture.ts';
import { get } from '../helpers/plain-client.ts';
import { runMaster } from '../helpers/run-master.ts';
import { expectNoFailure } from './reload-under-load.ts';

test('a server behind npm start reloads under load without a failure', async () => {
  await expectNoFailure({ command: ['npm', 'start'], cwd: fixture('npm-start') });
});

test('a server behind a shell reloads under load without a failure', async () => {
  await expectNoFailure({ command: ['sh', '-c', 'node http.cjs'], cwd: fixtures });
});

// Its processes have no preload and close idle connections as Node.js does, so no more than this is promised.
test('a server with a cluster of its own finishes what is in flight', async () => {
  const master = runMaster({ command: node('cluster.cjs') });
  const slow = get(await master.serving(), '/slow');
  await master.waitForLine('slow begins');
  await master.reload(2);
  expect(await slow).toMatchObject({ status: 200, body: 'slow' });
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ outcome: { code: 0 } });
});
