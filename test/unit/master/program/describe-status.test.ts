// What a program is called: the phase of graceful-run, and the word that Supervisor has for it, by what has happened to its workers.
import { expect, test } from 'vitest';
import {
  describeDrain,
  describeStatus,
  type StatusContext,
} from '../../../../src/master/program/describe-status.ts';
import { emptyHistory } from '../../../../src/master/program/history/history.ts';
import type { Program } from '../../../../src/master/program/lifecycle/state.ts';
import { crash, drive, serving, type Drive } from '../../../helpers/lifecycle.ts';

const restart = { autorestart: 'always', exitCodes: [0], startRetries: 0, crashLoop: null } as const;

function shown(program: Program, more: Partial<StatusContext> = {}): string {
  const { state, phase } = describeStatus(
    {
      name: 'shop',
      versions: [],
      lifecycle: program,
      history: emptyHistory,
      releases: [],
      workers: [],
      errors: null,
      timers: [],
      servedByEnded: { requests: 0, serverErrors: 0 },
      tree: 'tree',
      nameOfAddress: '',
      isProbationSkipped: false,
      isWatched: false,
      reportedPorts: [],
    },
    {
      master: { pid: 1, version: '0.0.0', uptimeMs: 0, watching: [], control: null } as never,
      group: null,
      isWanted: true,
      schedule: null,
      waitsFor: [],
      isAboutToStart: false,
      orphans: null,
      openOf: () => null,
      load: null,
      at: 200_000,
      ...more,
    },
  );
  return `${phase} ${state}`;
}

const spawned = (it: Drive, at: number, worker: number): unknown =>
  it.send({ type: 'workerSpawned', at, worker, pid: 1_000 + worker, isGated: true });
const dies = (it: Drive, at: number, worker: number): unknown =>
  it.send({ type: 'workerEnded', at, worker, end: crash });
const exits = (it: Drive, at: number, worker: number): unknown =>
  it.send({ type: 'workerEnded', at, worker, end: { ...crash, outcome: { code: 0, signal: null } } });
const stops = (it: Drive, at: number): unknown => it.send({ type: 'stopRequested', at, cause: 'control' });

const isDue = (it: Drive, at: number, slot: number): unknown =>
  it.send({ type: 'restartDue', at, generation: 1, slot });

/** Its workers have ended after they were ready. */
function ended(workers = 1): Drive {
  const it = serving(workers);
  for (let worker = 1; worker <= workers; worker++) dies(it, 200, worker);
  return it;
}

/** As ended(), and those in their places are being started. */
function restarted(workers = 1): Drive {
  const it = ended(workers);
  for (let slot = 0; slot < workers; slot++) isDue(it, 200, slot);
  return it;
}

/** As restarted(), and the workers of these slots have ended before they were ready: they wait for their next start. */
function neverReady(workers: number, failing: number): Drive {
  const it = restarted(workers);
  for (let slot = 0; slot < failing; slot++) {
    spawned(it, 300, workers + slot + 1);
    dies(it, 400, workers + slot + 1);
  }
  return it;
}

/** As neverReady(), and then one was ready for a moment. */
function readyForAMoment(workers: number): Drive {
  const it = neverReady(workers, workers);
  isDue(it, 2_000, 0);
  const next = 2 * workers + 1;
  spawned(it, 2_001, next);
  it.ready(2_100, next);
  dies(it, 2_200, next);
  return it;
}

const cases: Readonly<Record<string, readonly [made: () => Drive, is: string]>> = {
  'was never started': [() => drive(), 'idle STOPPED'],
  'has no worker that is ready yet': [
    () => {
      const it = drive();
      it.send({ type: 'startRequested', at: 0 });
      return it;
    },
    'starting STARTING',
  ],
  'waits for the retry of its start': [
    () => {
      const it = drive(1, { restart: { ...restart, startRetries: 1 } });
      it.send({ type: 'startRequested', at: 0 });
      spawned(it, 1, 1);
      dies(it, 2, 1);
      return it;
    },
    'backoff BACKOFF',
  ],
  'has failed to start': [
    () => {
      const it = drive();
      it.send({ type: 'startRequested', at: 0 });
      spawned(it, 1, 1);
      dies(it, 2, 1);
      return it;
    },
    'failed FATAL',
  ],
  serves: [() => serving(), 'serving RUNNING'],
  'serves with one worker, while the other is started again': [
    () => {
      const it = serving(2);
      dies(it, 200, 2);
      return it;
    },
    'serving RUNNING',
  ],
  'is being reloaded': [
    () => {
      const it = serving();
      it.send({ type: 'reloadRequested', at: 200, cause: 'control' });
      return it;
    },
    'reloading RUNNING',
  ],
  'has a new generation on probation': [
    () => {
      const it = serving(1, { probationMs: 5_000 });
      it.send({ type: 'reloadRequested', at: 200, cause: 'control' });
      spawned(it, 201, 2);
      it.ready(300, 2);
      return it;
    },
    'serving RUNNING',
  ],
  'has lost its only worker, which was ready': [() => ended(), 'restarting EXITED'],
  'starts the worker again that was the only one': [() => restarted(), 'restarting STARTING'],
  'starts both workers again': [() => restarted(2), 'restarting STARTING'],
  'starts one of two again, and the other was not ready and waits': [
    () => neverReady(2, 1),
    'restarting STARTING',
  ],
  'waits to start the worker again, which was not ready': [() => neverReady(1, 1), 'restarting BACKOFF'],
  'waits to start both again, which were not ready': [() => neverReady(2, 2), 'restarting BACKOFF'],
  'waits to start the worker again, which was ready for a moment': [
    () => readyForAMoment(1),
    'restarting EXITED',
  ],
  'waits to start both again, of which one was ready for a moment': [
    () => readyForAMoment(2),
    'restarting EXITED',
  ],
  'is being reloaded while it has no worker': [
    () => {
      const it = neverReady(1, 1);
      it.send({ type: 'reloadRequested', at: 500, cause: 'control' });
      return it;
    },
    'restarting STARTING',
  ],
  'drains for a stop': [
    () => {
      const it = serving();
      stops(it, 200);
      return it;
    },
    'stopping STOPPING',
  ],
  'was stopped': [
    () => {
      const it = serving();
      stops(it, 200);
      exits(it, 300, 1);
      return it;
    },
    'stopped STOPPED',
  ],
  'was stopped while it waited for the next start': [
    () => {
      const it = neverReady(1, 1);
      stops(it, 500);
      return it;
    },
    'stopped STOPPED',
  ],
  'has ended, and is not to be started again': [
    () => {
      const it = serving(1, { restart: { ...restart, autorestart: 'never' } });
      exits(it, 200, 1);
      return it;
    },
    'exited EXITED',
  ],
};

test.each(Object.entries(cases).map(([title, [made, is]]) => [title, is, made] as const))(
  'a program that %s: %s',
  (_, is, made) => {
    expect(shown(made().program)).toBe(is);
  },
);

test('one that rests is starting while it is looked up and bound, and scheduled while it has a next run', () => {
  expect(shown(drive().program, { isAboutToStart: true })).toBe('starting STARTING');
  const schedule = { nextAt: 300_000 } as StatusContext['schedule'];
  expect(shown(drive().program, { schedule })).toBe('scheduled STOPPED');
  expect(shown(serving().program, { schedule, isAboutToStart: true })).toBe('serving RUNNING');
});

test('a drain is that of a stop once a stop was asked for, and not of a program that is started again afterwards', () => {
  const draining = (more: { readonly keepsListeners?: boolean }): boolean | undefined => {
    const it = serving();
    it.send({ type: 'stopRequested', at: 1_000, cause: 'control', ...more });
    return describeDrain(it.program, () => null, 2_000)?.stopping;
  };
  expect([draining({}), draining({ keepsListeners: true })]).toEqual([true, false]);
});
