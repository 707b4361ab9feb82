// --ready http:/path and --warmup: a new worker proves its health before it takes over; one that never does is rolled back.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whoAnswers } from '../helpers/plain-client.ts';
import { app, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

/** An application that is as healthy as it is told. */
class Patient {
  readonly #folder: string = temporaryFolder();
  readonly #file: string = join(this.#folder, 'health');

  constructor() {
    this.become('200');
  }

  become(health: string): void {
    writeFileSync(join(this.#folder, 'next'), health);
    renameSync(join(this.#folder, 'next'), this.#file);
  }

  run(...flags: readonly string[]): RunningMaster {
    return runMaster({
      flags: ['--ready', 'http:/healthz', ...flags],
      command: app('answers-health'),
      env: { HEALTH_FILE: this.#file },
    });
  }
}

test('a new generation takes over when it is healthy and warm, and no client notices', async () => {
  const patient = new Patient();
  const master = patient.run('--warmup', '25', '--workers', '2');
  const port = await master.serving();
  const loads = (['fresh', 'keepAlive'] as const).map((mode) => startLoad({ port, mode, clients: 2 }));
  patient.become('503');
  master.signal('SIGHUP');
  await master.waitFor('workerNotReadyYet', { generation: 2, slot: 1 });
  expect(await master.status()).toMatchObject({ phase: 'reloading', generation: 1 });
  patient.become('204');
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerExited', { generation: 1, slot: 0 });
  await master.waitFor('workerExited', { generation: 1, slot: 1 });
  for (const load of loads) expect(failureCounts(await load.stop())).toEqual({});
  expect((await whoAnswers(port)).generation).toBe(2);
  const warmUps = master.lines.filter((line) => line.endsWith('generation 2 by graceful-run (warm-up)'));
  expect(warmUps).toHaveLength(50);
});

test.each([
  ['503', 'GET /healthz answered 503'],
  ['hang', 'GET /healthz has not been answered yet'],
])('a generation that is never healthy (%s) is rolled back, with the reason', async (health, reason) => {
  const patient = new Patient();
  const master = patient.run('--ready-timeout', '3s');
  const port = await master.serving();
  const { pid } = await whoAnswers(port);
  patient.become(health);
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure.reason).toBe('notReady');
  expect(failure.message).toContain(reason);
  expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
  expect(await master.status()).toMatchObject({ generation: 1, lastReload: { ok: false, failure } });
});

test('a first generation that is never healthy is given up, with the reason', async () => {
  const patient = new Patient();
  patient.become('500');
  const master = patient.run('--ready-timeout', '2s');
  expect(await master.exited).toEqual({ code: 1, signal: null });
  await master.closed;
  expect(master.lines.join('\n')).toContain('GET /healthz answered 500');
});

test('a program that is not Node.js cannot be asked, and the failure says so', async () => {
  const master = runMaster({
    flags: ['--ready', 'http:/healthz', '--ready-timeout', '1s'],
    command: ['sleep', '1000'],
  });
  const { failure } = await master.waitFor('generationFailed', { generation: 1 });
  expect(failure).toMatchObject({ reason: 'notReady' });
  expect(failure.message).toContain('ready = "http:/healthz" is only for Node.js');
  expect(failure.hint).toContain('choose another way');
  await master.exited;
});

test('npm start: the program is asked, and not npm', async () => {
  const master = runMaster({
    flags: ['--ready', 'http:/', '--warmup', '3'],
    command: ['npm', 'start'],
    cwd: new URL('../fixtures/clients/npm-start', import.meta.url).pathname,
  });
  await master.serving();
});
