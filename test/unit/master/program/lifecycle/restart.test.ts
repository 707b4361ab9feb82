// What is started again when it has ended by itself, and when a program is given up.
import { describe, expect, test } from 'vitest';
import type { RestartSettings } from '../../../../../src/master/program/lifecycle/state.ts';
import type { WorkerEnd } from '../../../../../src/master/program/lifecycle/inputs.ts';
import { crash, drive, kinds, serving, settings, type Drive } from '../../../../helpers/lifecycle.ts';

function endedWith(code: number | null, signal: string | null = null): WorkerEnd {
  return { ...crash, outcome: { code, signal } };
}

function restartWith(given: Partial<RestartSettings>): { readonly restart: RestartSettings } {
  return { restart: { ...settings.restart, ...given } };
}

function end(it: Drive, at: number, worker: number, how: WorkerEnd = crash): readonly string[] {
  return kinds(it.send({ type: 'workerEnded', at, worker, end: how }));
}

describe('a worker that was ready and has ended', () => {
  test.each([
    ['always', endedWith(0), 'serving'],
    ['always', endedWith(1), 'serving'],
    ['always', endedWith(null, 'SIGKILL'), 'serving'],
    ['unexpected', endedWith(0), 'exited'],
    ['unexpected', endedWith(3), 'exited'],
    ['unexpected', endedWith(1), 'serving'],
    ['unexpected', endedWith(null, 'SIGTERM'), 'serving'],
    ['never', endedWith(0), 'exited'],
    ['never', endedWith(1), 'exited'],
    ['never', endedWith(null, 'SIGSEGV'), 'exited'],
  ] as const)('with autorestart %s and the outcome %o leaves the program %s', (autorestart, how, phase) => {
    const it = serving(1, restartWith({ autorestart, exitCodes: [0, 3] }));
    end(it, 1_000, 1, how);
    expect(it.program.phase).toBe(phase);
    if (phase === 'exited') expect(it.program).toMatchObject({ outcome: how.outcome });
  });

  test('is not a failure if its exit is expected', () => {
    const it = serving(1, restartWith({ autorestart: 'unexpected' }));
    end(it, 1_000, 1, endedWith(0));
    expect(it.events().slice(-3)).toEqual(['workerExited', 'workerNotReplaced', 'stopped']);
    expect(it.events()).not.toContain('workerFailed');
  });

  test('leaves the others alone: the program has exited when the last one has, and says how the worst of them ended', () => {
    const it = serving(3, restartWith({ autorestart: 'never' }));
    end(it, 1_000, 1, endedWith(0));
    end(it, 1_100, 2, endedWith(7));
    expect(it.program.phase).toBe('serving');
    expect(end(it, 1_200, 3, endedWith(0))).toContain('finish');
    expect(it.program).toMatchObject({ phase: 'exited', outcome: { code: 7 } });
  });

  test('does not take the program down while a reload that was asked for waits', () => {
    const it = serving(1, { ...restartWith({ autorestart: 'never' }), maxDrainingGenerations: 0 });
    it.send({ type: 'reloadRequested', at: 900, cause: 'signal' });
    end(it, 1_000, 1, endedWith(0));
    expect(it.program.phase).toBe('serving');
  });

  test('before the rest of its generation is ready counts as done, and its generation serves without it', () => {
    const it = drive(2, restartWith({ autorestart: 'unexpected' }));
    it.send({ type: 'startRequested', at: 0 });
    it.ready(10, 1);
    end(it, 20, 1, endedWith(0));
    expect(it.program.phase).toBe('starting');
    it.ready(30, 2);
    expect(it.program.phase).toBe('serving');
    end(it, 40, 2, endedWith(0));
    expect(it.program.phase).toBe('exited');
  });

  test('on probation, as expected, does not roll its generation back', () => {
    const it = serving(1, { ...restartWith({ autorestart: 'unexpected' }), probationMs: 2_000 });
    it.send({ type: 'reloadRequested', at: 1_000, cause: 'signal' });
    it.ready(1_100, 2);
    expect(it.program.phase).toBe('probation');
    end(it, 1_200, 2, endedWith(0));
    expect(it.program.phase).toBe('stopping');
    end(it, 1_300, 1, endedWith(0));
    expect(it.program).toMatchObject({ phase: 'exited', outcome: { code: 0 } });
  });

  test.each([
    ['always', endedWith(0), 'serving'],
    ['unexpected', endedWith(0), 'exited'],
    ['unexpected', endedWith(1), 'serving'],
    ['never', endedWith(1), 'exited'],
  ] as const)(
    'after it had drained by itself, with autorestart %s and %o, leaves the program %s',
    (autorestart, how, phase) => {
      const it = serving(1, restartWith({ autorestart }));
      it.send({ type: 'workerSaidItDrains', at: 5_000, worker: 1 });
      end(it, 5_100, 1, how);
      expect(it.program.phase).toBe(phase);
    },
  );

  test('is started again by hand, with the next generation', () => {
    const it = serving(1, restartWith({ autorestart: 'never' }));
    end(it, 1_000, 1);
    it.send({ type: 'startRequested', at: 2_000 });
    it.ready(2_100, 2);
    expect(it.program).toMatchObject({ phase: 'serving', current: { number: 2 } });
  });
});

describe('a start that fails', () => {
  test('is tried again after 1s, 2s and 4s, with clients waiting, and is given up after the retries', () => {
    const it = drive(1, restartWith({ startRetries: 3 }));
    it.send({ type: 'startRequested', at: 0 });
    for (const [worker, delayMs] of [
      [1, 1_000],
      [2, 2_000],
      [3, 4_000],
    ] as const) {
      expect(end(it, worker * 10_000, worker)).toEqual([`arm retry ${delayMs}`]);
      expect(it.program).toMatchObject({ phase: 'backoff', failures: worker });
      expect(kinds(it.send({ type: 'retryDue', at: worker * 10_000 + delayMs }))).toContain(
        `startWorker ${worker + 1}`,
      );
    }
    expect(end(it, 50_000, 4)).toEqual(['closeListeners', 'finish']);
    expect(it.program).toMatchObject({ phase: 'failed', failure: crash.failure });
    expect(it.events().filter((event) => event === 'startRetryScheduled')).toHaveLength(3);
  });

  test('with a linear backoff waits 1s, 2s, 3s, as Supervisor does', () => {
    const it = drive(1, {
      ...restartWith({ startRetries: 3 }),
      backoff: { ...settings.backoff, kind: 'linear' },
    });
    it.send({ type: 'startRequested', at: 0 });
    const delays = [1, 2, 3].map((worker) => {
      const [armed] = end(it, worker * 10_000, worker);
      it.send({ type: 'retryDue', at: worker * 10_000 + 5_000 });
      return armed;
    });
    expect(delays).toEqual(['arm retry 1000', 'arm retry 2000', 'arm retry 3000']);
  });

  test('forgets the failures once it has served', () => {
    const it = drive(1, restartWith({ startRetries: 1 }));
    it.send({ type: 'startRequested', at: 0 });
    end(it, 10, 1);
    it.send({ type: 'retryDue', at: 1_010 });
    it.ready(1_100, 2);
    it.send({ type: 'stopRequested', at: 2_000, cause: 'control' });
    end(it, 2_100, 2);
    it.send({ type: 'startRequested', at: 3_000 });
    end(it, 3_100, 3);
    expect(it.program).toMatchObject({ phase: 'backoff', failures: 1 });
  });

  test.each(['startRequested', 'reloadRequested'] as const)(
    'is tried again at once by %s, and its failures are forgotten',
    (type) => {
      const it = drive(1, restartWith({ startRetries: 1 }));
      it.send({ type: 'startRequested', at: 0 });
      end(it, 10, 1);
      it.send(type === 'reloadRequested' ? { type, at: 20, cause: 'control' } : { type, at: 20 });
      expect(it.program).toMatchObject({ phase: 'starting', failures: 0 });
    },
  );

  test('is tried again without a pause if a reload was asked for meanwhile', () => {
    const it = drive(1, restartWith({ startRetries: 1 }));
    it.send({ type: 'startRequested', at: 0 });
    it.send({ type: 'reloadRequested', at: 5, cause: 'watch' });
    expect(end(it, 10, 1)).toEqual(['arm retry 0']);
  });

  test('can be stopped while it waits: it is stopped, and not failed', () => {
    const it = drive(1, restartWith({ startRetries: 1 }));
    it.send({ type: 'startRequested', at: 0 });
    end(it, 10, 1);
    expect(kinds(it.send({ type: 'stopRequested', at: 20, cause: 'control' }))).toEqual([
      'closeListeners',
      'finish',
    ]);
    expect(it.program.phase).toBe('stopped');
  });

  test('that was given up is stopped by an operator, and is then only stopped', () => {
    const it = drive();
    it.send({ type: 'startRequested', at: 0 });
    end(it, 10, 1);
    expect(it.program.phase).toBe('failed');
    it.send({ type: 'stopRequested', at: 20, cause: 'control' });
    expect(it.program.phase).toBe('stopped');
  });
});

describe('a crash loop', () => {
  const loop = restartWith({ crashLoop: { deaths: 3, windowMs: 60_000 } });

  function dieAndReturn(it: Drive, at: number, worker: number): void {
    end(it, at, worker);
    it.send({ type: 'restartDue', at: at + 1, generation: 1, slot: 0 });
    it.ready(at + 2, worker + 1);
  }

  test('of workers that die after they were ready ends in failure', () => {
    const it = serving(1, loop);
    dieAndReturn(it, 10_000, 1);
    dieAndReturn(it, 20_000, 2);
    end(it, 30_000, 3);
    expect(it.program).toMatchObject({ phase: 'failed', failure: crash.failure });
    expect(it.events()).toContain('workerNotReplaced');
  });

  test('needs its deaths within the window', () => {
    const it = serving(1, loop);
    for (let worker = 1; worker < 50; worker += 1) dieAndReturn(it, worker * 30_001, worker);
    expect(it.program.phase).toBe('serving');
  });

  test('leaves the workers alone that still serve, and the program has failed with the last of them', () => {
    const it = serving(2, loop);
    end(it, 10_000, 1);
    it.send({ type: 'restartDue', at: 10_001, generation: 1, slot: 0 });
    it.ready(10_002, 3);
    end(it, 11_000, 3);
    it.send({ type: 'restartDue', at: 12_000, generation: 1, slot: 0 });
    it.ready(12_001, 4);
    end(it, 13_000, 4);
    expect(it.program).toMatchObject({
      phase: 'serving',
      current: { slots: [{ workerId: null }, { workerId: 2 }] },
    });
    end(it, 14_000, 2);
    expect(it.program.phase).toBe('failed');
  });

  test('is forgotten with a new generation', () => {
    const it = serving(1, loop);
    dieAndReturn(it, 10_000, 1);
    dieAndReturn(it, 20_000, 2);
    it.send({ type: 'reloadRequested', at: 25_000, cause: 'signal' });
    it.ready(25_100, 4);
    end(it, 26_000, 4);
    expect(it.program.phase).toBe('serving');
  });
});
