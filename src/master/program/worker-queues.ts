/**
 * Which worker accepts from which queue with reuse_port. A Node.js worker has the queue of its slot, as the workers before and after it in that slot:
 * it accepts only once it is told to, so its queue outlives it. Any other program accepts whatever comes to its queue as soon as it runs. So it gets a
 * queue that no running worker has, and the master directs connections there only once the worker is admitted. That is its gate (ADR 46).
 */
import type { BoundListener } from '../sockets/listener.ts';

/** The part of a listener that is used here. */
export interface QueuedListener {
  readonly slots: Pick<
    BoundListener['slots'],
    'isOpen' | 'isDirectedTo' | 'isDirectedElsewhere' | 'queued' | 'otherFds'
  >;
}

/** The queues of a program's workers. */
export interface WorkerQueues {
  /** The queue of the worker with this id; null if it has no process. */
  of(worker: number): number | null;
  /** Whether the worker that was started last has a queue that no other one has. */
  areOwn(): boolean;
}

export interface AssignedQueue {
  readonly queue: number;
  /** Whether no other worker that accepts has the queue. */
  readonly hasOwnQueue: boolean;
  /** Whether no connections come to the queue until the worker is admitted. */
  readonly isClosed: boolean;
}

/** What a queue is chosen for. */
export interface NewWorker {
  readonly isNode: boolean;
  readonly slot: number;
  /** The queue that it is started for, if it is not started for a slot. */
  readonly wanted: number | undefined;
  /** Whether workers of an earlier generation serve: then it is to get no connections yet. */
  readonly isCandidate: boolean;
  /** Whether any worker of the program serves. Otherwise clients wait for this one. */
  readonly isServed: boolean;
}

/** Chooses the queue of a new worker. `taken`: the queues of the running ones; `own`: those of them that no other worker may share. */
export function assignQueue(
  listeners: readonly QueuedListener[],
  { isNode, slot, wanted, isCandidate, isServed }: NewWorker,
  taken: ReadonlySet<number>,
  own: ReadonlySet<number>,
): AssignedQueue {
  // Without sockets of their own, all workers accept from the first one. Others may be left from before.
  if (listeners.length === 0 || !listeners.every(({ slots }) => slots.isOpen()))
    return { queue: wanted ?? 0, hasOwnQueue: false, isClosed: false };
  if (wanted !== undefined) return { queue: wanted, hasOwnQueue: !isNode, isClosed: false };
  if (isNode && !own.has(slot)) return { queue: slot, hasOwnQueue: false, isClosed: false };
  const isQuiet = (queue: number): boolean =>
    !isDirected(listeners, queue) && waitingIn(listeners, queue) === 0;
  const free = freeQueues(listeners, taken);
  const found = isCandidate || isNode ? free.find(isQuiet) : free[0];
  const queue = found ?? Math.max(countOf(listeners), ...[...taken].map((one) => one + 1));
  return { queue, hasOwnQueue: !isNode, isClosed: !isNode && isServed && isQuiet(queue) };
}

/**
 * The queues that exist and are not taken, the most urgent first: those to which connections come although their worker is gone, then those in which most
 * connections wait.
 */
export function freeQueues(
  listeners: readonly QueuedListener[],
  taken: ReadonlySet<number>,
): readonly number[] {
  return Array.from({ length: countOf(listeners) }, (_, queue) => queue)
    .filter((queue) => !taken.has(queue) && !listeners.some(({ slots }) => slots.isDirectedElsewhere(queue)))
    .map((queue) => ({
      queue,
      isUrgent: isDirected(listeners, queue) ? 1 : 0,
      waiting: waitingIn(listeners, queue),
    }))
    .sort((one, other) => other.isUrgent - one.isUrgent || other.waiting - one.waiting)
    .map(({ queue }) => queue);
}

/** Whether another program, or an earlier version of this one, serves some queue: once it does not any more, what is left there is for this one. */
export function isServedElsewhere(listeners: readonly QueuedListener[]): boolean {
  return Array.from({ length: countOf(listeners) }, (_, queue) => queue).some((queue) =>
    listeners.some(({ slots }) => slots.isDirectedElsewhere(queue)),
  );
}

/** How many connections wait in this queue of any of the listeners. */
export function waitingIn(listeners: readonly QueuedListener[], queue: number): number {
  return listeners.reduce((sum, { slots }) => sum + slots.queued(queue), 0);
}

function countOf(listeners: readonly QueuedListener[]): number {
  return 1 + Math.max(0, ...listeners.map(({ slots }) => slots.otherFds().length));
}

/** Whether new connections come to this queue of any of the listeners. */
export function isDirected(listeners: readonly QueuedListener[], queue: number): boolean {
  return listeners.some(({ slots }) => slots.isDirectedTo(queue));
}
