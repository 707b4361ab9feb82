/**
 * Checks whether the addresses of a program can be bound on this machine, and names the process that is in the way. Each address is bound for a
 * moment without listening on it, which no client notices.
 */
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import type {
  BindablePlan,
  ListenerPlan,
  ProgramPlan,
  TcpListenerPlan,
  UdpListenerPlan,
  UnixListenerPlan,
} from '../config/plan.ts';
import {
  type AddressHolder,
  describeHolder,
  findAddressHolders,
  unseenHolderHint,
} from '../sockets/address-holder.ts';
import { readOrphanAt } from '../sockets/orphans-at.ts';
import type { FoundSockets } from '../sockets/find-inherited-sockets.ts';
import { addressesOf, isHostName, probeName } from '../sockets/host-names.ts';
import { probeAddress } from '../sockets/listener.ts';
import type { Finding } from './finding.ts';

/**
 * Checks the addresses of one program. `isOwn`: whether the master that runs this very plan holds the address. `inherited`: the sockets that this process
 * was started with.
 */
export async function checkAddresses(
  plan: ProgramPlan,
  program: string,
  isOwn: (listener: ListenerPlan) => boolean,
  inherited: Pick<FoundSockets, 'look'>,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const [item, listener] of plan.listeners.entries()) {
    const finding = await checkListener(listener, isOwn(listener), inherited);
    if (finding !== null) found.push({ program, item, ...finding });
  }
  return found;
}

async function checkListener(
  listener: ListenerPlan,
  isOwn: boolean,
  { look }: Pick<FoundSockets, 'look'>,
): Promise<Omit<Finding, 'program'> | null> {
  if (isOwn && listener.type === 'fd') return null;
  try {
    // A socket that this process was started with is bound already.
    if ((await look(listener)).length > 0 || listener.type === 'fd') return null;
    return await checkAddress(listener, isOwn);
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    return { option: 'listen', message: error.message, hint: error.hint };
  }
}

async function checkAddress(
  listener: BindablePlan,
  isOwn: boolean,
): Promise<Omit<Finding, 'program'> | null> {
  if (listener.type === 'unix') return isOwn ? null : checkPath(listener);
  const { host, port } = listener;
  if (host !== null) {
    const error = await addressesOf(host, port).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error !== null)
      return {
        option: listener.type === 'udp' ? 'listen' : 'host',
        message: messageOf(error),
        hint: 'give a numeric address, such as 127.0.0.1, 0.0.0.0 or ::',
      };
  }
  if (isOwn) return null;
  const error = await probe(listener);
  if (error === null) return null;
  if (error.code === 'addressInUse') return inUse(error, listener);
  // If binding fails with any other port, too, the machine does not have the address.
  const isAddress = host !== null && !isHostName(host) && (await probe({ ...listener, port: 0 })) !== null;
  const option = listener.type === 'udp' ? 'listen' : isAddress ? 'host' : 'port';
  return { option, message: error.message, hint: error.hint };
}

async function probe(listener: TcpListenerPlan | UdpListenerPlan): Promise<GracefulRunError | null> {
  if (listener.type === 'tcp')
    return isHostName(listener.host) ? probeName(listener, listener.host) : probeAddress(listener);
  const { probeUdpAddress } = await import('../sockets/udp-listener.ts');
  return probeUdpAddress(listener);
}

async function checkPath(listener: UnixListenerPlan): Promise<Omit<Finding, 'program'> | null> {
  const { probeUnixAddress } = await import('../sockets/unix-listener.ts');
  const error = await probeUnixAddress(listener);
  if (error === null) return null;
  if (error.code === 'addressInUse') return inUse(error, listener);
  return { option: 'listen', message: error.message, hint: error.hint };
}

/** The finding for an address in use; null if workers of a master that was killed hold it, because a new master waits for them. */
function inUse(error: GracefulRunError, listener: BindablePlan): Omit<Finding, 'program'> | null {
  const holders = findAddressHolders(listener);
  if (holders.length > 0 && holders.every(({ pid }) => readOrphanAt(pid, listener) !== null)) return null;
  return { option: listener.type === 'tcp' ? 'port' : 'listen', ...explainHolder(error, listener, holders) };
}

/** The message and hint for an `addressInUse`, with the process that is in the way. */
export function explainHolder(
  error: GracefulRunError,
  listener: BindablePlan,
  holders: readonly AddressHolder[],
): Pick<Finding, 'message' | 'hint'> {
  const [holder = null] = holders;
  return {
    message: `${error.message} ${describeHolder(holder)}`,
    hint:
      holder === null
        ? unseenHolderHint(listener)
        : `stop it: kill ${holder.pid}; or choose another ${listener.type === 'unix' ? 'path' : 'port'}`,
  };
}
