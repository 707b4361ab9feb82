/**
 * Gives sockets that are already held what a listener of the plan asks for: the length of the queue, options, and the permissions and owner of a UNIX
 * socket's file.
 */
import type { ListenerPlan } from '../config/plan.ts';
import { listen } from '../system-calls/socket-calls.ts';
import type { BoundListener } from './listener.ts';
import { forListener } from './listener-error.ts';
import { applyTcpOptions } from './tcp-socket.ts';

/** Restores the previous options of the sockets. */
export type UndoFit = () => Promise<void>;

/**
 * Fits the sockets to `wanted`. Returns a function that undoes it. `madeFor`: the listener that they were bound for, or were last given to; null if that
 * is not known, and then it cannot be undone. Errors: `ListenerError` with `addressUnusable`, if the kernel refuses an option or the file is not that of the
 * socket any more; then the sockets are as they were.
 */
export async function fitSockets(
  sockets: readonly BoundListener[],
  madeFor: ListenerPlan | null,
  wanted: ListenerPlan,
): Promise<UndoFit> {
  const steps: UndoFit[] = [];
  const undo = async (): Promise<void> => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  const fit = async (): Promise<void> => {
    for (const socket of sockets) {
      // The kernel has accepted these values before. A socket that was closed in the meantime needs none.
      if (madeFor !== null)
        steps.push(async () => setQueueAndOptions(socket, madeFor).catch(() => undefined));
      await setQueueAndOptions(socket, wanted);
      if (wanted.type !== 'unix' || madeFor?.type !== 'unix' || socket.file === undefined) continue;
      const { fitFile } = await import('./socket-file.ts');
      steps.push(await fitFile(socket.file, madeFor, wanted));
    }
  };
  try {
    await forListener(wanted, fit);
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** Sets the length of the queue and the options. UNIX sockets have no options, and UDP sockets have no queue either. */
async function setQueueAndOptions(
  { fd: first, address, slots }: BoundListener,
  wanted: ListenerPlan,
): Promise<void> {
  const options = 'options' in wanted ? wanted.options : undefined;
  if (address.type === 'udp' && options === undefined) return;
  for (const fd of [first, ...slots.otherFds()]) {
    // A second listen(2) only changes the length of the queue.
    await listen(fd, wanted.backlog);
    if (address.type === 'tcp' || options !== undefined) await applyTcpOptions(fd, options);
  }
}
