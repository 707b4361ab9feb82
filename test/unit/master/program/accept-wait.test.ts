import { expect, test } from 'vitest';
import type { ListenerUse } from '../../../../src/master/process/listener-use.ts';
import { createAcceptWait } from '../../../../src/master/program/accept-wait.ts';
import type { RunningWorker } from '../../../../src/master/program/running-worker.ts';

interface FakeWorker {
  readonly use?: ListenerUse;
  readonly isNode?: boolean;
  readonly wasReady?: boolean;
  readonly isToldToEnd?: boolean;
}

/** Workers that run, and what was done to their listeners. */
function createWorkers() {
  const running = new Map<RunningWorker, FakeWorker>();
  const done: string[] = [];
  const create = () =>
    createAcceptWait({
      makeBlocking: (fd) => done.push(`${fd} waits`),
      makeNonBlocking: (fd) => done.push(`${fd} does not wait`),
      inodeOf: (fd) => fd + 1_000,
      listenerUse: (pid) => [...running].find(([{ process }]) => process.pid === pid)?.[1].use ?? 'other',
    });
  const listeners = [{ fd: 3, address: { type: 'tcp', host: '127.0.0.1', port: 80 } }] as const;
  let wait = create();
  let pid = 100;
  return {
    /** What was done since the last call. */
    done: () => done.splice(0),
    start: (worker: FakeWorker): RunningWorker => {
      const { isNode = false, wasReady = true, isToldToEnd = false } = worker;
      wait.beforeStart(listeners);
      pid += 1;
      const ownPid = isNode && wasReady ? pid : null;
      const started = { process: { pid }, isNode, ownPid, wasReady, isToldToEnd } as RunningWorker;
      running.set(started, worker);
      wait.started(started, listeners);
      if (wasReady) wait.ready(started);
      return started;
    },
    end: (worker: RunningWorker): void => {
      running.delete(worker);
      wait.ended(worker);
    },
    upgrade: () => {
      wait = create();
      for (const worker of running.keys()) wait.started(worker, listeners);
      wait.resumed();
    },
  };
}

test('a listener waits in accept(2) for the first worker, and no longer once that has it in an epoll', () => {
  const { start, done } = createWorkers();
  start({ use: 'epoll' });
  expect(done()).toEqual(['3 waits', '3 does not wait']);
});

test.each(['other', 'poll'] as const)(
  'a program that uses its listener otherwise (%s) keeps what it has',
  (use) => {
    const { start, end, done } = createWorkers();
    const one = start({ use });
    const other = start({ use });
    end(one);
    expect(done()).toEqual(['3 waits']);
    end(other);
    expect(done()).toEqual([]);
  },
);

test('nothing changes while workers need opposites, are not ready, or drain', () => {
  for (const holder of [
    { use: 'other' },
    { use: 'epoll', wasReady: false },
    { use: 'epoll', isToldToEnd: true },
  ] as const) {
    const { start, end, done } = createWorkers();
    const first = start(holder);
    done();
    start({ use: 'epoll' });
    expect(done()).toEqual([]);
    end(first);
    expect(done()).toEqual(['3 does not wait']);
  }
});

test('after the last Node.js worker, or the last one with an epoll, accept(2) waits for workers that expect it', () => {
  for (const before of [{ isNode: true }, { use: 'epoll' }] as const) {
    const { start, end, done } = createWorkers();
    const old = start(before);
    done();
    start({ use: 'other' });
    expect(done()).toEqual([]);
    end(old);
    expect(done()).toEqual(['3 waits']);
  }
});

test('after Node.js, a program that polls keeps what it may have set itself, also at a moment at which it is busy', () => {
  const { start, end, done } = createWorkers();
  const node = start({ isNode: true });
  start({ use: 'poll' });
  const second: { use: ListenerUse } = { use: 'poll' };
  const third = start(second);
  end(node);
  second.use = 'other';
  end(third);
  expect(done()).toEqual(['3 waits']);
});

test('a master that has upgraded itself knows that a worker with an epoll may have to be followed by one that waits', () => {
  const { start, end, done, upgrade } = createWorkers();
  const old = start({ use: 'epoll' });
  upgrade();
  start({ use: 'other' });
  done();
  end(old);
  expect(done()).toEqual(['3 waits']);
});
