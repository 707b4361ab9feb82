/**
 * Sends workers a listener of the master, each time as a new descriptor. A descriptor may wait for long in the channel of a worker that does not read, and
 * libuv does not survive if the master closes its own one in the meantime.
 */
import { closeSync } from 'node:fs';
import type { MasterMessage } from '../../shared/protocol.ts';
import type { BoundListener } from '../sockets/listener.ts';
import { handleOver } from '../sockets/server-handle.ts';
import type { WorkerProcess } from './platform.ts';
import { duplicate } from '../system-calls/descriptor-calls.ts';

/** Sends a listener with a message. `sent` is called when the message is on its way, or never will be. */
export function sendListener(
  worker: WorkerProcess,
  message: MasterMessage,
  { handle, fd }: BoundListener,
  sent: () => void = () => undefined,
): void {
  const copy = duplicate(fd);
  const own = typeof copy === 'number' ? handleOver(copy) : copy;
  if (typeof own === 'string') {
    if (typeof copy === 'number') closeSync(copy);
    // There is no free descriptor: the existing one still reaches a worker that reads.
    worker.send(message, handle, sent);
    return;
  }
  worker.send(message, own, () => {
    own.close();
    sent();
  });
}

/** By worker and listener: the request to answer after the current one; null if there is none. */
const underWay = new WeakMap<WorkerProcess, Map<string, { next: number | null }>>();

/**
 * Sends one listener at a time to each worker: requests that arrive while an answer is under way get one common answer after it. Each listener is followed
 * by a message that it was sent, because a worker that has no descriptor for it does not get it.
 */
export function sendWantedListener(worker: WorkerProcess, listener: BoundListener, request: number): void {
  const { name } = listener;
  const ofWorker = underWay.get(worker) ?? new Map<string, { next: number | null }>();
  underWay.set(worker, ofWorker);
  const before = ofWorker.get(name);
  if (before !== undefined) {
    before.next = request;
    return;
  }
  const now: { next: number | null } = { next: null };
  ofWorker.set(name, now);
  sendListener(worker, { type: 'listener', name }, listener, () => {
    ofWorker.delete(name);
    // Not at once: a send to a worker that is gone calls back immediately.
    if (now.next !== null) setImmediate(sendWantedListener, worker, listener, now.next);
  });
  worker.send({ type: 'listenerSent', name, request });
}
