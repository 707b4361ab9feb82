// rollback_on: a release that answers too many requests with errors while it is on probation goes back.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routes, type ReloadResult } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import type { Response } from '../helpers/response-reader.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const bound = '5xx > 5% over 2s, at least 50 requests';

function run(env: NodeJS.ProcessEnv, ...flags: readonly string[]): RunningMaster {
  return runMaster({
    command: app('fails-requests'),
    flags: ['--probation', '60s', '--rollback-on', bound, ...flags],
    env,
  });
}

/** Answered when the probation is over. */
async function reloadAndWait(master: RunningMaster): Promise<{ status: number; result: ReloadResult }> {
  const exchange = await askControl({
    path: master.controlSocket,
    method: 'POST',
    route: routes.reload,
    body: { wait: 'settled' },
  });
  if ('noAnswer' in exchange) throw new Error(exchange.noAnswer);
  return { status: exchange.answer.status, result: JSON.parse(exchange.answer.body) as ReloadResult };
}

interface Answer {
  readonly generation: number;
  readonly fails: boolean;
}

/** The release's own errors are right; everything else but 200 is wrong. */
function problemOf({ status, body }: Response): string | null {
  if (status === 200) return null;
  const { generation, fails } = JSON.parse(body) as Answer;
  return status === 500 && fails && generation === 2 ? null : `status ${status} of generation ${generation}`;
}

test.each([1, 2, 4])(
  'a release of %i workers that fails a fifth of its requests goes back under load: no other request fails, and connections stay open',
  async (workers) => {
    const slots = Array.from({ length: workers }, (_, slot) => slot);
    const master = run({ FAILS_FROM: '2', FAILS_EVERY: '5' }, '--workers', String(workers));
    const port = await master.serving();
    // Connections of the old generation: they never see the new one.
    const old = startLoad({ port, mode: 'keepAlive', clients: 2, paceMs: 10 });
    await old.moreAnswers(60);
    const verdict = reloadAndWait(master);
    await master.waitFor('generationReady', { generation: 2 });
    for (const slot of slots) await master.waitFor('workerAcceptsNoMore', { generation: 1, slot });
    const kept = startLoad({ port, mode: 'keepAlive', clients: 6, paceMs: 10, problemOf });
    const fresh = startLoad({ port, mode: 'fresh', clients: 2, paceMs: 10, problemOf });

    const back = await master.waitFor('generationRolledBack', { generation: 2, to: 1 });
    expect(back.failure).toMatchObject({ reason: 'tooManyErrors' });
    const { errorRate } = back.failure;
    expect(errorRate?.requests).toBeGreaterThanOrEqual(50);
    expect((errorRate?.serverErrors ?? 0) / (errorRate?.requests ?? 1)).toBeGreaterThan(0.05);
    expect(errorRate?.previous).toMatchObject({ serverErrors: 0 });
    expect((await master.status()).lastReload?.failure?.stderrTail).toEqual(['Error: no such table']);
    expect(await verdict).toMatchObject({
      status: 409,
      result: { ok: false, generation: 2, rolledBackTo: 1, failure: { reason: 'tooManyErrors' } },
    });
    const gone = await Promise.all(
      slots.map((slot) => master.waitFor('workerExited', { generation: 2, slot })),
    );
    expect(gone.map(({ cut }) => cut)).toEqual(slots.map(() => 0));
    await Promise.all([old, kept, fresh].map((load) => load.moreAnswers(30)));
    const tallies = await Promise.all([old, kept, fresh].map((load) => load.stop()));
    expect(tallies.map(failureCounts)).toEqual([{}, {}, {}]);
    expect(tallies.slice(0, 2).map(({ connections }) => connections)).toEqual([2, 6]);
    expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
    expect(await master.status()).toMatchObject({ phase: 'serving', generation: 1, probation: null });
  },
);

test('gracefulctl reload --wait=settled exits 1 and names the figures', async () => {
  const master = run({ FAILS_FROM: '2', FAILS_EVERY: '2' });
  const port = await master.serving();
  const reload = gracefulctl(['reload', master.name, '--wait=settled'], { XDG_RUNTIME_DIR: master.runtime });
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  const load = startLoad({ port, mode: 'fresh', clients: 4, paceMs: 5, problemOf });
  const { code, err } = await reload;
  expect(code).toBe(1);
  expect(err).toContain('500 to 599');
  expect(failureCounts(await load.stop())).toEqual({});
});

test('errors that the old release had as well are no reason to go back', async () => {
  const master = run({ FAILS_FROM: '1', FAILS_EVERY: '2' });
  const port = await master.serving();
  const load = startLoad({ port, mode: 'fresh', clients: 4, paceMs: 5, problemOf: () => null });
  await load.moreAnswers(200);
  master.signal('SIGHUP');
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  await load.moreAnswers(400);
  await load.stop();
  expect(await master.status()).toMatchObject({ generation: 2, probation: { previous: 1 } });
});

test('a config file has rollback_on, takes it at an update, and refuses it without a probation', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'graceful.toml');
  const write = (...lines: readonly string[]): void => {
    const command = JSON.stringify(app('fails-requests'));
    writeFileSync(
      file,
      [
        '[master]',
        'name = "town"',
        '[program.shop]',
        `command = ${command}`,
        'listen = ["127.0.0.1:0"]',
        'environment = { FAILS_FROM = "2", FAILS_EVERY = "2" }',
        ...lines,
        '',
      ].join('\n'),
    );
  };
  write('probation = "60s"');
  const master = runMaster({
    flags: ['-c', file, '--log-level', 'debug', '--log-format', 'json'],
    hasOwnFlags: false,
    command: [],
    name: 'town',
  });
  const port = await master.serving();
  write('probation = "0s"', `rollback_on = "${bound}"`);
  const refused = await gracefulctl(['update', 'town'], { XDG_RUNTIME_DIR: master.runtime });
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain('rollback_on');
  write('probation = "60s"', `rollback_on = "${bound}"`);
  expect((await gracefulctl(['update', 'town'], { XDG_RUNTIME_DIR: master.runtime })).code).toBe(0);
  await master.reload(2);
  const load = startLoad({ port, mode: 'fresh', clients: 4, paceMs: 5, problemOf });
  await master.waitFor('generationRolledBack', { generation: 2, to: 1 });
  expect(failureCounts(await load.stop())).toEqual({});
});
