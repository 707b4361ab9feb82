import { expect, test } from 'vitest';
import { assignQueue, freeQueues, type NewWorker } from '../../../../src/master/program/worker-queues.ts';

function listener(directed: readonly number[], lengths: readonly number[], isOpen = true) {
  return {
    slots: {
      isOpen: () => isOpen,
      isDirectedTo: (queue: number) => directed.includes(queue),
      isDirectedElsewhere: (queue: number) => queue === 9,
      queued: (queue: number) => lengths[queue] ?? 0,
      otherFds: () => lengths.slice(1),
    },
  };
}

/** Chooses for a worker of slot 0 of a program in another language. `taken`: queues of running workers, which share none. */
function assign(
  listeners: readonly ReturnType<typeof listener>[],
  changes: Partial<NewWorker>,
  taken: readonly number[],
) {
  const worker = {
    isNode: false,
    slot: 0,
    wanted: undefined,
    isCandidate: false,
    isServed: true,
    ...changes,
  };
  return assignQueue(listeners, worker, new Set(taken), new Set(taken));
}

test('a Node.js worker shares the queue of its slot with the workers before and after it, but with no other program', () => {
  const two = [listener([0, 1], [0, 0])];
  const worker = { isNode: true, slot: 1, wanted: undefined, isCandidate: true, isServed: true };
  const shared = { queue: 1, hasOwnQueue: false, isClosed: false };
  expect(assignQueue(two, worker, new Set([0, 1]), new Set())).toEqual(shared);
  expect(assignQueue(two, worker, new Set([0, 1]), new Set([0, 1]))).toEqual({ ...shared, queue: 2 });
});

test('workers that share one socket have its queue, and those without a listener have none of their own', () => {
  const shared = { queue: 0, hasOwnQueue: false, isClosed: false };
  expect(assign([listener([0], [0], false)], { slot: 1 }, [0])).toEqual(shared);
  expect(assign([], { slot: 1 }, [])).toEqual(shared);
  const left = [listener([0], [0, 3], false)];
  expect(assign(left, { wanted: 1 }, [0])).toEqual({ ...shared, queue: 1 });
});

test('the first workers of any other program get connections at once, and candidates only once they are admitted', () => {
  const two = [listener([0, 1], [0, 0])];
  const open = { hasOwnQueue: true, isClosed: false };
  expect(assign(two, { isServed: false }, [])).toEqual({ queue: 0, ...open });
  expect(assign(two, { isServed: false, slot: 1 }, [0])).toEqual({ queue: 1, ...open });
  const closed = { hasOwnQueue: true, isClosed: true };
  expect(assign(two, { isCandidate: true }, [0, 1])).toEqual({ queue: 2, ...closed });
  expect(assign(two, { isCandidate: true }, [0, 1, 2])).toEqual({ queue: 3, ...closed });
});

test('a replacement gets the queue of the crashed worker, or the one in which most connections wait', () => {
  const several = [listener([1, 3], [0, 0, 4, 1, 9]), listener([1, 3], [0, 0, 6, 0, 0])];
  expect(freeQueues(several, new Set([1]))).toEqual([3, 2, 4, 0]);
  expect(assign(several, {}, [1])).toEqual({ queue: 3, hasOwnQueue: true, isClosed: false });
  expect(assign(several, {}, [1, 3])).toEqual({ queue: 2, hasOwnQueue: true, isClosed: false });
});

test('a candidate gets a queue in which nobody waits, and a worker that is started for a queue gets that one', () => {
  const several = [listener([1], [0, 0, 4, 0])];
  expect(assign(several, { isCandidate: true }, [1])).toMatchObject({ queue: 0, isClosed: true });
  expect(assign(several, { isCandidate: true }, [0, 1, 3])).toMatchObject({ queue: 4, isClosed: true });
  expect(assign(several, { wanted: 2 }, [1, 2])).toEqual({ queue: 2, hasOwnQueue: true, isClosed: false });
});

test('a queue to which another program has connections directed is not chosen', () => {
  const many = [listener([], Array<number>(11).fill(0))];
  expect(assign(many, { isCandidate: true }, [0, 1, 2, 3, 4, 5, 6, 7, 8])).toMatchObject({ queue: 10 });
});
