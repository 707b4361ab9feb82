// A program may listen first and fail a moment later. So the generation before it waits, with its connections, for the time of a probation.
import { expect, test } from 'vitest';
import { routes, type ReloadResult, type ReloadWait } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { pauseProcess } from '../helpers/pause-process.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { app, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';
import { Wire } from '../helpers/wire.ts';

function run(probation: string, ...flags: readonly string[]): RunningMaster {
  return runMaster({ command: app('crashes-when-told'), flags: ['--probation', probation, ...flags] });
}

async function reloadAndWait(
  master: RunningMaster,
  wait: ReloadWait,
): Promise<{ status: number; result: ReloadResult }> {
  const request = {
    path: master.controlSocket,
    method: 'POST',
    route: routes.reload,
    body: { wait },
  } as const;
  const exchange = await askControl(request);
  if ('noAnswer' in exchange) throw new Error(exchange.noAnswer);
  return {
    status: exchange.answer.status,
    result: JSON.parse(exchange.answer.body) as ReloadResult,
  };
}

/** The generation that answers on a connection that stays open. */
async function askedOn(wire: Wire): Promise<number> {
  wire.received = '';
  wire.get('/');
  await wire.until('}');
  return Number(/"generation":(\d+)/.exec(wire.received)?.[1]);
}

test('a new generation that crashes on probation is taken back, and the connections of the old one never notice', async () => {
  const master = run('60s', '--workers', '2');
  const port = await master.serving();
  const kept = await Wire.connect(port);
  expect(await askedOn(kept)).toBe(1);
  const load = startLoad({ port, mode: 'keepAlive', clients: 4 });
  await load.moreAnswers(20);

  const serving = await reloadAndWait(master, 'serving');
  expect(serving).toMatchObject({ status: 200, result: { ok: true, generation: 2, probationMs: 60_000 } });
  // The old ones may accept again for a moment until their pause is confirmed.
  for (const slot of [0, 1]) await master.waitFor('workerAcceptsNoMore', { generation: 1, slot });
  for (let n = 0; n < 8; n++) expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
  expect(await askedOn(kept)).toBe(1);
  expect(await master.status()).toMatchObject({
    phase: 'serving',
    generation: 2,
    probation: { previous: 1 },
  });

  const crash = await Wire.connect(port);
  crash.get('/crash');
  const back = await master.waitFor('generationRolledBack', { generation: 2, to: 1 });
  expect(back.failure).toMatchObject({ outcome: { code: 3 } });
  expect((await master.status()).lastReload?.failure?.stderrTail).toEqual(['Error: the cache is lost']);
  await load.moreAnswers(20);
  expect(failureCounts(await load.stop())).toEqual({});
  await master.waitFor('workerExited', { generation: 2 });
  for (let n = 0; n < 8; n++) expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
  expect(await askedOn(kept)).toBe(1);
  expect(await master.status()).toMatchObject({
    phase: 'serving',
    generation: 1,
    probation: null,
    lastReload: { ok: false, generation: 2, rolledBackTo: 1 },
  });
  // And it can be reloaded again.
  expect(await reloadAndWait(master, 'serving')).toMatchObject({ result: { ok: true, generation: 3 } });
  kept.socket.destroy();
});

test('who waits for the verdict hears it: passed, or rolled back with the reason', async () => {
  const master = run('300ms');
  const port = await master.serving();
  expect(await reloadAndWait(master, 'settled')).toMatchObject({
    status: 200,
    result: { ok: true, generation: 2, probationMs: 0 },
  });
  await master.waitFor('generationSettled', { generation: 2 });
  const patient = run('60s');
  const other = await patient.serving();
  const verdict = reloadAndWait(patient, 'settled');
  await patient.waitFor('generationReady', { generation: 2 });
  // Otherwise the request may come to the old one.
  await patient.waitFor('workerAcceptsNoMore', { generation: 1 });
  const crash = await Wire.connect(other);
  crash.get('/crash');
  expect(await verdict).toMatchObject({
    status: 409,
    result: { ok: false, generation: 2, rolledBackTo: 1, failure: { outcome: { code: 3 } } },
  });
  expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
});

test('a generation that passes takes over the connections, and none is closed', async () => {
  const master = run('300ms');
  const port = await master.serving();
  const kept = await Wire.connect(port);
  expect(await askedOn(kept)).toBe(1);
  const load = startLoad({ port, mode: 'fresh', clients: 2 });
  await load.moreAnswers(10);
  await master.reload(2);
  expect(await askedOn(kept)).toBe(1);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ cut: 0 });
  expect(await askedOn(kept)).toBe(2);
  await load.moreAnswers(10);
  expect(failureCounts(await load.stop())).toEqual({});
  kept.socket.destroy();
});

test('a reload during a probation starts its workers first: connections move only once one of them serves', async () => {
  const master = run('60s');
  const port = await master.serving();
  const kept = await Wire.connect(port);
  expect(await askedOn(kept)).toBe(1);
  const load = startLoad({ port, mode: 'keepAlive', clients: 4 });
  await load.moreAnswers(20);
  await master.reload(2);
  await master.reload(3);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ cut: 0, migrated: 5 });
  const order = master.events.filter(
    ({ event }) => event === 'workerDraining' || event === 'generationReady',
  );
  expect(order).toMatchObject([
    { event: 'generationReady', generation: 1 },
    { event: 'generationReady', generation: 2 },
    { event: 'generationReady', generation: 3 },
    { event: 'workerDraining', generation: 1 },
  ]);
  // To the generation that is sure.
  expect(await askedOn(kept)).toBe(2);
  await load.moreAnswers(20);
  expect(failureCounts(await load.stop())).toEqual({});
  kept.socket.destroy();
});

test('a stop during probation ends both generations, and a reload begins the next one', async () => {
  const master = run('60s');
  const port = await master.serving();
  await master.reload(2);
  await master.reload(3);
  await master.waitFor('generationSettled', { generation: 2 });
  expect(await whoAnswers(port)).toMatchObject({ generation: 3 });
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
});

test('an old worker that does not confirm that it pauses is waited for as one that drains', async () => {
  const master = run('60s');
  await master.serving();
  const old = await master.workerPid(1);
  await pauseProcess(old);
  let isAnswered = false;
  const answer = reloadAndWait(master, 'serving').finally(() => {
    isAnswered = true;
  });
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerPaused', { generation: 1 });
  expect(isAnswered).toBe(false);
  process.kill(old, 'SIGCONT');
  expect(await answer).toMatchObject({ status: 200 });
});

test('a reload that is rolled back while an old worker has not confirmed that it pauses is answered as failed', async () => {
  const master = run('60s');
  const port = await master.serving();
  const old = await master.workerPid(1);
  await pauseProcess(old);
  const answer = reloadAndWait(master, 'serving');
  await master.waitFor('workerPaused', { generation: 1 });
  await eventually('the first moment is over', async () => {
    const { probation } = await master.status();
    return probation !== null && probation.remainingMs < 59_400;
  });
  process.kill(await master.workerPid(2), 'SIGKILL');
  expect(await answer).toMatchObject({ status: 409, result: { ok: false, generation: 2, rolledBackTo: 1 } });
  process.kill(old, 'SIGCONT');
  expect(await whoAnswers(port)).toMatchObject({ generation: 1 });
});
