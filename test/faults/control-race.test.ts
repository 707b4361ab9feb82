// Masters that start at the same moment with the same name: separate processes, many times, over every kind of what may lie there.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { routes } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import type { RaceOrder, RaceReport } from '../helpers/claim-racer.ts';
import { bundled } from '../helpers/bundled.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';

const racer = new URL('../helpers/claim-racer.ts', import.meta.url).pathname;

async function startRacer(): Promise<ChildProcess> {
  const child = fork(await bundled(racer), [], { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function tell(child: ChildProcess, order: RaceOrder): Promise<RaceReport> {
  const answered = once(child, 'message');
  child.send(order);
  const [report] = (await answered) as [RaceReport];
  return report;
}

/** A socket whose listener is gone, as kill -9 leaves it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.bound`);
  await once(server, 'listening');
  renameSync(`${path}.bound`, path);
  server.close();
  await once(server, 'close');
}

test.each([['where nothing is'], ['over the socket of a dead master']])(
  'of four processes that claim a name at once %s exactly one gets it, and the others leave it alone',
  async (where) => {
    const folder = temporaryFolder();
    const path = join(folder, 'web.sock');
    const racers = await Promise.all(Array.from({ length: 4 }, startRacer));
    for (let round = 0; round < 60; round += 1) {
      if (where !== 'where nothing is') await leaveStaleSocket(path);
      const reports = await Promise.all(racers.map((child) => tell(child, { folder })));
      expect(reports.toSorted()).toEqual(['nameTaken', 'nameTaken', 'nameTaken', 'opened']);
      const winner = racers[reports.indexOf('opened')];
      const answer = await askControl({ path, method: 'GET', route: routes.status, timeoutMs: 5_000 });
      expect(answer).toMatchObject({
        answer: { body: expect.stringContaining(`"pid":${winner?.pid ?? 0},`) as unknown },
      });
      expect(readdirSync(folder)).toEqual(['web.sock']);
      await Promise.all(racers.map((child) => tell(child, 'close')));
      expect(readdirSync(folder)).toEqual([]);
    }
  },
  60_000,
);

test('of four masters that start at once with one name exactly one serves, and it can be asked', async () => {
  const runtime = temporaryFolder();
  const masters = Array.from({ length: 4 }, () =>
    // Through a shell: the harness does not wait for events of the ones that lose.
    runMaster({ runtime, name: 'web', through: ['sh', '-c', 'exec "$@"', 'sh'] }),
  );
  const ends = await Promise.all(
    masters.map((master) =>
      master.serving().then(
        () => 'serves',
        async () => (await master.exited).code,
      ),
    ),
  );
  expect(ends.toSorted()).toEqual([1, 1, 1, 'serves']);
  const winner = masters[ends.indexOf('serves')];
  expect((await winner?.status())?.master.pid).toBe(winner?.pid);
});
