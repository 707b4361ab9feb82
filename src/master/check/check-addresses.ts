/**
 * Checks whether the addresses of a program can be bound on this machine, and names the process that is in the way. Each address is bound for a
 * moment without listening on it, which no client notices.
 */
import { type GracefulRunError, messageOf } from '../../shared/errors.ts';
import type { ListenerPlan, ProgramPlan } from '../config/plan.ts';
import { readOrphanedWorker } from '../process/orphaned-worker.ts';
import { describeHolder, findAddressHolders, unseenHolderHint } from '../sockets/address-holder.ts';
import { numeric, probeAddress } from '../sockets/listener.ts';
import type { Finding } from './finding.ts';

/** `isOwn`: the master that runs this very plan holds the port already. */
export async function checkAddresses(
  plan: ProgramPlan,
  program: string,
  isOwn: (port: number) => boolean,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const [item, listener] of plan.listeners.entries()) {
    const finding = await checkAddress(listener, isOwn(listener.port));
    if (finding !== null) found.push({ program, item, ...finding });
  }
  return found;
}

async function checkAddress(
  listener: ListenerPlan,
  isOwn: boolean,
): Promise<Omit<Finding, 'program'> | null> {
  const { host, port } = listener;
  if (host !== null) {
    const error = await numeric(host, port).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null)
      return {
        option: 'host',
        message: messageOf(error),
        hint: 'give a numeric address, such as 127.0.0.1, 0.0.0.0 or ::',
      };
  }
  if (isOwn) return null;
  const error = await probeAddress(listener);
  if (error === null) return null;
  if (error.code === 'addressInUse') return inUse(error, port);
  // With any other port it is the same: then the machine does not have the address.
  const isAddress = host !== null && (await probeAddress({ ...listener, port: 0 })) !== null;
  return { option: isAddress ? 'host' : 'port', message: error.message, hint: error.hint };
}

/** Null: workers of a master that was killed hold it, and a new master waits for them. */
function inUse(error: GracefulRunError, port: number): Omit<Finding, 'program'> | null {
  const holders = findAddressHolders(port);
  const [holder = null] = holders;
  if (holder !== null && holders.every(({ pid }) => readOrphanedWorker(pid) !== null)) return null;
  return {
    option: 'port',
    message: `${error.message} ${describeHolder(holder)}`,
    hint: holder === null ? unseenHolderHint(port) : `stop it: kill ${holder.pid}; or choose another port`,
  };
}
