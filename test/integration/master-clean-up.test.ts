// The application's own clean-up at the end of a drain: its handlers of signals, and how they end.
import { expect, test } from 'vitest';
import type { EventOf } from '../helpers/event-log.ts';
import { Wire } from '../helpers/wire.ts';
import { app, runMaster, type RunningMaster } from '../helpers/run-master.ts';

const sigterm = { code: null, signal: 'SIGTERM' };
const zero = { code: 0, signal: null };

function run(env: NodeJS.ProcessEnv, drainTimeout = '30s'): RunningMaster {
  return runMaster({ command: app('cleans-up'), env, flags: ['--drain-timeout', drainTimeout] });
}

/** Reloads, and answers how the old worker has ended. */
async function ended(master: RunningMaster): Promise<EventOf<'workerExited'>> {
  await master.serving();
  await master.reload(2);
  return master.waitFor('workerExited', { generation: 1 });
}

test('a SIGTERM handler has what is left of the drain timeout', async () => {
  const master = run({ SIGNALS: 'SIGTERM', LASTS: '2500' });
  expect(await ended(master)).toMatchObject({ outcome: zero, cleanUpsCut: 0 });
  await master.waitForLine('has cleaned up');
});

test('a handler that has not ended the process when the time is over is cut, reported and counted', async () => {
  const master = run({ SIGNALS: 'SIGTERM' }, '300ms');
  expect(await ended(master)).toMatchObject({ outcome: zero, cleanUpsCut: 1 });
  expect(master.all('workerCleanUpCut')).toMatchObject([{ generation: 1, what: 'SIGTERM handlers' }]);
  expect(master.all('workerKilled')).toEqual([]);
});

test.each([
  ['', {}, zero],
  [' and hears the signal once', { AGAIN: '1' }, sigterm],
])(
  'a handler that is called at the drain timeout, because a connection was open until then%s, has until the kill',
  async (_how, env, outcome) => {
    const master = run({ SIGNALS: 'SIGTERM', LASTS: '900', ...env }, '400ms');
    const wire = await Wire.connect(await master.serving());
    wire.get('/held');
    await wire.until('begun');
    expect(await ended(master)).toMatchObject({ outcome, cut: 1, cleanUpsCut: 0 });
    await master.waitForLine('has cleaned up');
    await wire.closed;
  },
);

test("the master's SIGTERM at the drain timeout does not end a clean-up that is still at work", async () => {
  const master = run({ SIGNALS: 'SIGTERM', LASTS: '1200' }, '400ms');
  expect(await ended(master)).toMatchObject({ outcome: zero, from: 'terminating', cleanUpsCut: 0 });
  await master.waitForLine('has cleaned up');
  expect(master.lines.filter((line) => line === 'cleans up at SIGTERM')).toHaveLength(1);
});

test.each(['reload', 'stop'])('handlers of SIGINT alone are called, too, at a %s', async (how) => {
  const master = run({ SIGNALS: 'SIGINT', LASTS: '10' });
  await master.serving();
  if (how === 'stop') master.signal('SIGINT');
  else await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ outcome: zero });
  await master.waitForLine('cleans up at SIGINT');
});

test('an application that listens for several signals is called for one: SIGTERM', async () => {
  const master = run({ SIGNALS: 'SIGINT SIGQUIT SIGTERM', LASTS: '10' });
  await ended(master);
  await master.waitForLine('has cleaned up');
  expect(master.lines.filter((line) => line.startsWith('cleans up'))).toEqual(['cleans up at SIGTERM']);
});

test.each([
  ['its own handler', { SIGNALS: 'SIGTERM', LASTS: '10', AGAIN: '1' }, 'has cleaned up'],
  ['signal-exit', { SIGNAL_EXIT: '1' }, 'exit hook null SIGTERM'],
  ['terminus', { TERMINUS: '1' }, 'has cleaned up'],
])('%s, which sends the signal again when it is done, ends the process at once', async (_who, env, said) => {
  const master = run(env);
  expect(await ended(master)).toMatchObject({ outcome: sigterm, from: 'draining', cleanUpsCut: 0 });
  await master.waitForLine(said);
  expect(master.all('workerFailed')).toEqual([]);
});

test('a handler that sends the signal again after the drain timeout ends the process, too', async () => {
  const master = run({ SIGNALS: 'SIGTERM', LASTS: '900', AGAIN: '1' }, '300ms');
  expect(await ended(master)).toMatchObject({ outcome: sigterm, from: 'terminating', cleanUpsCut: 0 });
  await master.waitForLine('has cleaned up');
});

test('signal-exit, which listens for everything, does not keep a handler of SIGINT alone from being called', async () => {
  const master = run({ SIGNALS: 'SIGINT', LASTS: '10', SIGNAL_EXIT: '1' });
  expect(await ended(master)).toMatchObject({ outcome: zero });
  await master.waitForLine('has cleaned up');
  await master.waitForLine('exit hook 0 null');
});

test('what a handler throws ends the process as it does without a master', async () => {
  const code = `process.on('SIGTERM', () => { throw new Error('broken') }); require(${JSON.stringify(app('serves')[1])}).server.listen(process.env.PORT)`;
  const master = runMaster({ command: [process.execPath, '-e', code] });
  expect(await ended(master)).toMatchObject({ outcome: { code: 1, signal: null }, from: 'draining' });
});
