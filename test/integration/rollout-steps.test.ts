// max_surge, max_unavailable and canary: a reload in steps loses no request and no connection, and goes back at the first failure.
import { expect, test } from 'vitest';
import { routes, type ReloadResult, type Status } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Load } from '../helpers/load.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, kill, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { runShop } from '../helpers/run-shop.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const clients = 6;

/** One load that opens a connection for every request, and one that keeps its connections. */
function loadsOn(port: number): readonly Load[] {
  return (['fresh', 'keepAlive'] as const).map((mode) => startLoad({ port, mode, clients, paceMs: 3 }));
}

/** No request failed, and no connection was closed. */
async function expectNothingLost(loads: readonly Load[]): Promise<void> {
  await Promise.all(loads.map((load) => load.moreAnswers(30)));
  const tallies = await Promise.all(loads.map((load) => load.stop()));
  expect(tallies.map(failureCounts)).toEqual([{}, {}]);
  expect(tallies[1]).toMatchObject({ connections: clients, closedIdle: 0, closedAsAnnounced: 0 });
}

async function reloadAndWait(
  master: RunningMaster,
  wait: string,
): Promise<{ status: number; result: ReloadResult }> {
  const exchange = await askControl({
    path: master.controlSocket,
    method: 'POST',
    route: routes.reload,
    body: { wait },
  });
  if ('noAnswer' in exchange) throw new Error(exchange.noAnswer);
  return { status: exchange.answer.status, result: JSON.parse(exchange.answer.body) as ReloadResult };
}

/** The most workers that ran at once since the reload began, and the fewest that accepted, as the events tell it. */
function extremesOf(master: RunningMaster): {
  readonly mostRunning: number;
  readonly fewestAccepting: number;
} {
  const running = new Set<number>();
  const accepting = new Set<number>();
  let [mostRunning, fewestAccepting, hasBegun] = [0, Infinity, false];
  for (const event of master.events) {
    if (event.event === 'generationStarted' && event.generation === 2) hasBegun = true;
    if (!('pid' in event) || event.pid === null || !('slot' in event)) continue;
    const { event: name, pid } = event;
    if (name === 'workerStarted') running.add(pid);
    if (name === 'workerAdmitted' || name === 'workerResumed') accepting.add(pid);
    if (name === 'workerPaused' || name === 'workerDraining') accepting.delete(pid);
    if (name === 'workerExited' || name === 'workerFailed') {
      running.delete(pid);
      accepting.delete(pid);
    }
    if (!hasBegun) continue;
    mostRunning = Math.max(mostRunning, running.size);
    fewestAccepting = Math.min(fewestAccepting, accepting.size);
  }
  return { mostRunning, fewestAccepting };
}

test.for([
  ['max_surge = 1', 'reuse_port = false', 5, 4],
  ['max_surge = 1', 'reuse_port = true', 5, 4],
  ['max_surge = "50%"', 'reuse_port = false', 6, 4],
  ['max_surge = 1\nmax_unavailable = 1', 'reuse_port = true', 5, 3],
  ['max_surge = 0\nmax_unavailable = 1', 'reuse_port = false', 4, 3],
  ['max_surge = 0\nmax_unavailable = 1', 'reuse_port = true', 4, 3],
] as const)(
  '%s, %s: a reload of 4 workers under load loses nothing, and at most %i run while at least %i accept',
  async ([steps, listener, most, fewest]) => {
    const { master } = runShop([
      'workers = 4',
      steps,
      listener,
      'rollout_pause = "100ms"',
      'probation = "200ms"',
    ]);
    const port = await master.serving();
    const loads = loadsOn(port);
    await Promise.all(loads.map((load) => load.moreAnswers(20)));
    expect(await reloadAndWait(master, 'drained')).toMatchObject({
      status: 200,
      result: { ok: true, generation: 2 },
    });
    await expectNothingLost(loads);
    const { mostRunning, fewestAccepting } = extremesOf(master);
    expect(mostRunning).toBe(most);
    expect(fewestAccepting).toBe(fewest);
    expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
    expect((await master.status()).workers.map(({ generation, slot }) => [generation, slot])).toEqual(
      expect.arrayContaining([0, 1, 2, 3].map((slot) => [2, slot])),
    );
  },
);

test('max_surge = 0 with one worker: clients wait while no worker accepts, and no request fails', async () => {
  const { master } = runShop(['max_surge = 0', 'max_unavailable = 1']);
  const port = await master.serving();
  const load = startLoad({ port, mode: 'fresh', clients, paceMs: 3 });
  await load.moreAnswers(20);
  expect(await reloadAndWait(master, 'drained')).toMatchObject({ status: 200, result: { ok: true } });
  await load.moreAnswers(20);
  expect(failureCounts(await load.stop())).toEqual({});
  expect(extremesOf(master)).toEqual({ mostRunning: 1, fewestAccepting: 0 });
});

test('a canary that crashes goes back alone, under load, and no other request fails', async () => {
  const { master } = runShop(['workers = 4', 'canary = 1', 'canary_time = "60s"']);
  const port = await master.serving();
  const old = startLoad({ port, mode: 'keepAlive', clients, paceMs: 3 });
  await old.moreAnswers(20);
  const verdict = reloadAndWait(master, 'serving');
  const advanced = await master.waitFor('rolloutAdvanced', { generation: 2 });
  expect(advanced).toMatchObject({ serving: 1, workers: 4, isCanary: true, pauseMs: 60_000 });
  expect(await master.status()).toMatchObject({
    phase: 'reloading',
    generation: 1,
    rollout: { generation: 2, serving: 1, workers: 4, isCanary: true },
  } satisfies Partial<Record<keyof Status, unknown>>);
  // New connections come to both.
  const seen = new Set<number>();
  await eventually('both generations answer', async () => {
    seen.add((await whoAnswers(port)).generation);
    return seen.size === 2;
  });
  kill(await master.workerPid(2));
  await master.waitFor('generationRolledBack', { generation: 2, to: 1 });
  expect(await verdict).toMatchObject({
    status: 409,
    result: { ok: false, generation: 2, serving: 1, rolledBackTo: 1, remaining: 0 },
  });
  await old.moreAnswers(50);
  const tally = await old.stop();
  expect(failureCounts(tally)).toEqual({});
  expect(tally.connections).toBe(clients);
  for (let n = 0; n < 8; n++) expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  const status = await master.status();
  expect(status).toMatchObject({ phase: 'serving', generation: 1, rollout: null });
  expect(status.workers.filter(({ isAccepting }) => isAccepting)).toHaveLength(4);
});

test('--canary 1 on the command line: one of two new workers serves first, and the other one follows', async () => {
  const master = runMaster({ flags: ['--workers', '2', '--canary', '1', '--probation', '300ms'] });
  await master.serving();
  master.signal('SIGHUP');
  expect(await master.waitFor('rolloutAdvanced', { generation: 2 })).toMatchObject({
    serving: 1,
    workers: 2,
    isCanary: true,
    pauseMs: 300,
  });
  expect(master.all('workerStarted', { generation: 2 })).toHaveLength(1);
  await master.waitFor('generationReady', { generation: 2 });
  expect(master.all('workerReady', { generation: 2 })).toHaveLength(2);
});

test('a canary that fails its requests goes back, and status shows its error rate beside that of the others', async () => {
  const { master } = runShop(
    [
      'workers = 3',
      'canary = 1',
      'canary_time = "60s"',
      // The canary gets fewer requests than 200 until its errors are shown.
      'rollback_on = "5xx > 5% over 60s, at least 200 requests"',
      'environment = { FAILS_FROM = "2", FAILS_EVERY = "4" }',
    ],
    { command: app('fails-requests') },
  );
  const port = await master.serving();
  master.signal('SIGHUP');
  await master.waitFor('rolloutAdvanced', { generation: 2 });
  const startRequests = (paceMs: number): Load =>
    startLoad({
      port,
      mode: 'fresh',
      clients: 4,
      paceMs,
      problemOf: ({ status, body }) =>
        status === 200 || body.includes('"generation":2') ? null : String(status),
    });
  const few = startRequests(100);
  await eventually('errors are shown', async () => {
    const { errors } = await master.status();
    return errors !== null && errors.current.serverErrors > 0 && errors.previous.requests > 0;
  });
  expect(failureCounts(await few.stop())).toEqual({});
  const shown = await gracefulctl(['status', 'shop'], { XDG_RUNTIME_DIR: master.runtime });
  expect(shown.out).toMatch(/errors: generation 2: \d+ of \d+ requests?/);
  const many = startRequests(20);
  const back = await master.waitFor('generationRolledBack', { generation: 2, to: 1 });
  expect(back.failure.reason).toBe('tooManyErrors');
  expect(failureCounts(await many.stop())).toEqual({});
  expect(await master.status()).toMatchObject({ phase: 'serving', generation: 1, errors: null });
});

test('a canary that is well is followed by all the others', async () => {
  const { master } = runShop(['workers = 3', 'canary = 1', 'canary_time = "200ms"', 'probation = "200ms"']);
  const port = await master.serving();
  const loads = loadsOn(port);
  expect(await reloadAndWait(master, 'settled')).toMatchObject({ status: 200, result: { ok: true } });
  await expectNothingLost(loads);
  expect(master.all('rolloutAdvanced')).toHaveLength(1);
  expect(
    (await master.status()).workers.filter(({ isAccepting, generation }) => isAccepting && generation === 2),
  ).toHaveLength(3);
});

test('a failure in a later step goes back as far as old workers are left, and says how many new ones serve on', async () => {
  const { master } = runShop(['workers = 3', 'max_surge = 1', 'rollout_pause = "300ms"']);
  const port = await master.serving();
  const loads = loadsOn(port);
  const verdict = reloadAndWait(master, 'serving');
  await master.waitFor('rolloutAdvanced', { generation: 2, serving: 2 });
  await master.waitFor('workerExited', { generation: 1, slot: 0 });
  // Before it has accepted anything from a client that would see it die.
  const second = await master.workerPid(2, 1);
  const load = loads.map((one) => one.stop());
  await Promise.all(load);
  kill(second);
  expect(await verdict).toMatchObject({
    status: 409,
    result: { ok: false, generation: 2, serving: 1, rolledBackTo: 1, remaining: 1 },
  });
  const again = loadsOn(port);
  await expectNothingLost(again);
  const status = await master.status();
  expect(status).toMatchObject({ phase: 'serving', generation: 1 });
  expect(
    status.workers
      .filter(({ isAccepting }) => isAccepting)
      .map(({ generation, slot }) => `${generation}/${slot}`)
      .sort(),
  ).toEqual(['1/1', '1/2', '2/0']);
  // The next reload makes them one again.
  expect(await reloadAndWait(master, 'drained')).toMatchObject({ status: 200, result: { generation: 3 } });
  expect(new Set((await master.status()).workers.map(({ generation }) => generation))).toEqual(new Set([3]));
});

test('another reload while the canary serves goes back and begins anew, and loses nothing', async () => {
  const { master } = runShop(['workers = 2', 'canary = 1', 'canary_time = "60s"']);
  const port = await master.serving();
  const loads = loadsOn(port);
  const first = reloadAndWait(master, 'serving');
  await master.waitFor('rolloutAdvanced', { generation: 2 });
  master.signal('SIGHUP');
  expect(await first).toMatchObject({
    status: 409,
    result: { generation: 2, failure: { reason: 'superseded' } },
  });
  await master.waitFor('rolloutAdvanced', { generation: 3 });
  await master.waitFor('workerExited', { generation: 2 });
  await expectNothingLost(loads);
  expect(await master.status()).toMatchObject({ generation: 1, rollout: { generation: 3 } });
});

test('a stop and a scale in the middle of a step lose nothing', async () => {
  const { master } = runShop(['workers = 3', 'max_surge = 1', 'rollout_pause = "60s"']);
  const port = await master.serving();
  const loads = loadsOn(port);
  master.signal('SIGHUP');
  await master.waitFor('rolloutAdvanced', { generation: 2, serving: 1 });
  const { code } = await gracefulctl(['scale', 'shop', '1'], { XDG_RUNTIME_DIR: master.runtime });
  expect(code).toBe(0);
  await master.waitFor('generationReady', { generation: 2 });
  await expectNothingLost(loads);
  master.signal('SIGTERM');
  expect(await master.exited).toMatchObject({ code: 0 });
});

test('gracefulctl promote goes on with a canary and ends a probation, and rollback goes back', async () => {
  const { master } = runShop(['workers = 2', 'canary = 1', 'probation = "60s"']);
  const port = await master.serving();
  const loads = loadsOn(port);
  const run = async (command: string): Promise<{ readonly code: number; readonly err: string }> => {
    const { code, err } = await gracefulctl([command, 'shop'], { XDG_RUNTIME_DIR: master.runtime });
    return { code: code ?? -1, err };
  };
  const refused = await run('promote');
  expect(refused).toMatchObject({
    code: 1,
    err: expect.stringContaining('no reload is under way') as string,
  });
  master.signal('SIGHUP');
  await master.waitFor('rolloutAdvanced', { generation: 2 });
  expect(await run('promote')).toMatchObject({ code: 0 });
  await master.waitFor('generationReady', { generation: 2 });
  expect(await run('promote')).toMatchObject({ code: 0 });
  await master.waitFor('generationSettled', { generation: 2 });
  const again = reloadAndWait(master, 'serving');
  await master.waitFor('rolloutAdvanced', { generation: 3 });
  expect(await run('rollback')).toMatchObject({ code: 0 });
  expect(await again).toMatchObject({
    status: 409,
    result: { failure: { reason: 'requested' }, rolledBackTo: 2 },
  });
  await master.waitFor('workerExited', { generation: 3 });
  await expectNothingLost(loads);
});
