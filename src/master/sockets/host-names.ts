/**
 * Host names as addresses to listen on: each address of the name gets a socket of its own, all with the same port. An address that this machine
 * does not have, such as `::1` where there is no IPv6, is left out as long as one of them is left.
 */
import { thisMachine } from './this-machine.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { formatAddress } from '../../shared/format-address.ts';
import type { TcpListenerPlan } from '../config/plan.ts';
import { ipVersion } from './numeric-address.ts';
import { bindError, probeAddress, tryListener, type BoundListener } from './listener.ts';

export interface NamedListeners {
  /** The listeners, at least one. The first one has the name of the plan's listener. */
  readonly bound: readonly BoundListener[];
  /** Addresses of the name that this machine does not have. */
  readonly leftOut: readonly string[];
}

export function isHostName(host: string | null): host is string {
  return host !== null && ipVersion(host) === 0;
}

/** The numeric addresses of a host, in the order in which the resolver gives them. Errors: `addressUnusable`. */
export async function addressesOf(host: string, port: number): Promise<readonly string[]> {
  if (ipVersion(host) !== 0) return [host];
  // RFC 6761, 6.3. Many hosts files give localhost only the IPv4 address, or give it another one for IPv6.
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  try {
    // Loaded only for names: most masters have none.
    const { lookup } = process.getBuiltinModule('node:dns/promises');
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    throw new GracefulRunError(
      'addressUnusable',
      `cannot listen on ${formatAddress(host, port)}: the name ${host} has no address`,
      {
        hint: `write a numeric address, such as 127.0.0.1, 0.0.0.0 or [::], in place of ${host}; if that is the name of the listener: ${host}=${port}`,
        cause,
      },
    );
  }
}

/** The address that Node.js itself chooses for a host. Rejects with the resolver's error. */
export async function nodeAddressOf(host: string): Promise<string> {
  if (ipVersion(host) !== 0) return host;
  return (await process.getBuiltinModule('node:dns/promises').lookup(host)).address;
}

/** How often another port is chosen for port 0, which stands for a port that is free on every address. */
const maxPorts = 50;

/** Binds and listens on every address of the name, or on none of them. Errors as bindListener. */
export async function bindName(plan: TcpListenerPlan, host: string): Promise<NamedListeners> {
  const addresses = await addressesOf(host, plan.port);
  for (let ports = 1; ; ports += 1) {
    const result = await bindAll(plan, host, addresses);
    if (!(result instanceof GracefulRunError)) return result;
    if (plan.port !== 0 || result.code !== 'addressInUse' || ports === maxPorts) throw result;
  }
}

async function bindAll(
  plan: TcpListenerPlan,
  host: string,
  addresses: readonly string[],
): Promise<NamedListeners | GracefulRunError> {
  const bound: BoundListener[] = [];
  const leftOut: string[] = [];
  for (const address of addresses) {
    const name = bound.length === 0 ? plan.name : furtherName(plan.name, bound.length + 1);
    const port = portOf(bound[0]) ?? plan.port;
    const one = await tryListener({ ...plan, name, host: address, port });
    if (typeof one !== 'string') bound.push(one);
    else if (isMissing(one)) leftOut.push(address);
    else {
      for (const other of bound) other.close();
      return bindError({ ...plan, host: address, port }, one);
    }
  }
  if (bound.length === 0) return noneLeft(plan, host, leftOut);
  const standsFor = bound.length === 1 ? null : plan.name;
  const named = bound.map((one) => {
    const listener = one.share({ hostName: host, standsFor });
    one.close();
    return listener;
  });
  return { bound: named, leftOut };
}

/** The error that bindName would throw at the moment; null if it would succeed. Listens on nothing. */
export async function probeName(plan: TcpListenerPlan, host: string): Promise<GracefulRunError | null> {
  const addresses = await addressesOf(host, plan.port);
  const errors = await Promise.all(
    addresses.map(async (address) => probeAddress({ ...plan, host: address })),
  );
  const inUse = errors.find((error) => error?.code === 'addressInUse');
  if (inUse != null) return inUse;
  return errors.includes(null) ? null : (errors[0] ?? null);
}

/** The name of a further socket of a listener. A plan can give no listener such a name. */
export function furtherName(name: string, number: number): string {
  return `${name}/${number}`;
}

/** Whether the machine does not have the address, or no address of its family. */
function isMissing(code: string): boolean {
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function portOf(listener: BoundListener | undefined): number | null {
  return listener?.address.type === 'tcp' ? listener.address.port : null;
}

function noneLeft(plan: TcpListenerPlan, host: string, addresses: readonly string[]): GracefulRunError {
  const [only = host] = addresses;
  if (addresses.length === 1) return bindError({ ...plan, host: only }, 'EADDRNOTAVAIL');
  return new GracefulRunError(
    'addressUnusable',
    `cannot listen on ${formatAddress(host, plan.port)}: this machine has none of its addresses: ${addresses.join(', ')}`,
    { hint: `it has ${thisMachine(true).addresses.join(', ')}` },
  );
}
