// How a program is stopped: which signals its workers are sent, with which pauses, and to whom.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { app, appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { runShop } from '../helpers/run-shop.ts';

const notesSignals = ['python3', appPath('notes-signals').replace(/cjs$/, 'py')];

function run(stopSignal: string, ...words: readonly string[]): RunningMaster {
  return runMaster({
    command: [...notesSignals, ...words],
    flags: ['--startsecs', '300ms', '--stop-signal', stopSignal],
  });
}

/** Signals are blocked from here on: before, they would end Python. */
async function serving(master: RunningMaster, generation = 1): Promise<void> {
  await master.waitFor('generationReady', { generation });
  await master.waitForLine('the worker ', generation);
}

function heard({ lines }: RunningMaster): readonly string[] {
  return lines.filter((line) => line.includes(' got ')).map((line) => line.replace(/^.*(the \w+ got)/, '$1'));
}

test('the signals of a stop come one after the other, each after its pause, until the worker exits', async () => {
  const master = run('USR1 300ms, INT 400ms, QUIT 20s', 'QUIT');
  await serving(master);
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(heard(master)).toEqual(['the worker got USR1', 'the worker got INT', 'the worker got QUIT']);
  const [int, quit] = master.all('workerTerminated');
  expect(int).toMatchObject({ signal: 'SIGINT', from: 'draining' });
  expect(int?.durationMs).toBeGreaterThanOrEqual(300);
  expect(quit).toMatchObject({ signal: 'SIGQUIT', from: 'terminating' });
  expect(quit?.durationMs).toBeGreaterThanOrEqual(400);
  expect(master.all('workerKilled')).toEqual([]);
});

test('after the last pause the worker is killed', async () => {
  const master = run('TERM 200ms, INT 200ms, KILL');
  await serving(master);
  master.signal('SIGTERM');
  await master.waitFor('workerKilled', { reason: 'drainTimeout' });
  await master.exited;
  expect(heard(master)).toEqual(['the worker got TERM', 'the worker got INT']);
});

test('with stopwaitsecs = 1 a worker that ignores TERM is killed after a second', async () => {
  const { master } = runShop(['startsecs = "300ms"', 'stopwaitsecs = 1'], { command: notesSignals });
  await serving(master);
  master.signal('SIGTERM');
  const killed = await master.waitFor('workerKilled', { reason: 'drainTimeout' });
  await master.exited;
  expect(heard(master)).toEqual(['the worker got TERM']);
  expect(killed.from).toBe('draining');
  expect(killed.durationMs).toBeGreaterThanOrEqual(990);
  expect(killed.durationMs).toBeLessThan(4_000);
});

test('KILL alone stops at once', async () => {
  const master = run('KILL');
  await serving(master);
  master.signal('SIGTERM');
  await master.waitFor('workerKilled', { reason: 'stop' });
  await master.exited;
  expect(heard(master)).toEqual([]);
});

test('a reload drains with the drain signal all the same', async () => {
  const master = run('USR1 10s', 'TERM', 'USR1');
  await serving(master);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(heard(master)).toEqual(['the worker got TERM']);
  await master.waitForLine('the worker ', 3);
  master.signal('SIGTERM');
  await master.exited;
  expect(heard(master)).toEqual(['the worker got TERM', 'the worker got USR1']);
});

test('a Node.js worker drains at the first signal of the list, whichever it is', async () => {
  const master = runMaster({ command: app('serves'), flags: ['--stop-signal', 'USR2 10s'] });
  await whoAnswers(await master.serving());
  master.signal('SIGTERM');
  await master.waitFor('workerDraining', { reason: 'stop' });
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(master.all('workerTerminated')).toEqual([]);
  expect(master.all('workerKilled')).toEqual([]);
});

test.each([
  [true, ['the child got TERM', 'the worker got TERM']],
  [false, ['the worker got TERM']],
])('with stopasgroup = %s the signals of a stop reach %j', async (stopasgroup, expected) => {
  const file = join(temporaryFolder(), 'graceful.toml');
  const command = JSON.stringify([...notesSignals, 'TERM', 'with-a-child']);
  const keys = [
    'startsecs = "300ms"',
    'stopsignal = "TERM"',
    'stopwaitsecs = 10',
    `stopasgroup = ${String(stopasgroup)}`,
  ];
  writeFileSync(
    file,
    ['[program.shop]', `command = ${command}`, 'port = 0', 'host = "127.0.0.1"', ...keys].join('\n'),
  );
  const master = runMaster({
    hasOwnFlags: false,
    command: [],
    flags: ['-c', file, '--log-format', 'json', '--log-level', 'debug'],
  });
  await serving(master);
  await master.waitForLine('the child');
  master.signal('SIGTERM');
  await master.exited;
  await master.closed;
  expect(heard(master).toSorted()).toEqual(expected);
});
