/**
 * UDP sockets (udp(7)). Binds and holds them as listener.ts does with TCP, and never reads from them. Datagrams that arrive while no worker reads wait in
 * the socket, up to the size of its receive buffer (net.core.rmem_default).
 */
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress } from '../../shared/format-address.ts';
import type { UdpListenerPlan } from '../config/plan.ts';
import { systemErrorCode } from '../system-calls/errno.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { addressError } from './address-errors.ts';
import { thisMachine } from './this-machine.ts';
import { newDatagramHandle, type DatagramHandle } from './new-datagram-handle.ts';
import { addressesOf } from './host-names.ts';
import { ipVersion } from './numeric-address.ts';
import { holdListener, type BoundListener } from './listener.ts';

/** Binds once. Errors as bindListener. */
export async function bindUdpListener(plan: UdpListenerPlan): Promise<BoundListener> {
  const { name, host, port } = plan;
  // UDP needs no listen(2), which would load the system calls.
  await loadSystemCalls();
  const handle = bind(plan, await numericAddress(plan));
  const bound: { address?: string; port?: number } = {};
  handle.getsockname(bound);
  return holdListener({
    name,
    address: { type: 'udp', host: bound.address ?? host, port: bound.port ?? port },
    backlog: 0,
    fd: handle.fd,
    handle,
    isUndecided: false,
    standsFor: null,
  });
}

/** The error that bindUdpListener would throw at the moment; null if it would succeed. It binds for a moment. */
export async function probeUdpAddress(plan: UdpListenerPlan): Promise<GracefulRunError | null> {
  try {
    bind(plan, await numericAddress(plan)).close();
    return null;
  } catch (error) {
    if (error instanceof GracefulRunError) return error;
    throw error;
  }
}

/** The first address of a host name, because a socket of the program has one address family. */
async function numericAddress({ host, port }: UdpListenerPlan): Promise<string> {
  const [address = host] = await addressesOf(host, port);
  return address;
}

function bind({ type, host, port }: UdpListenerPlan, address: string): DatagramHandle {
  const handle = newDatagramHandle();
  if (handle === null)
    throw new GracefulRunError(
      'platformUnsupported',
      `cannot bind: Node.js ${process.version} has no way to bind a UDP socket without reading from it`,
      { hint: 'use a Node.js version that graceful-run was tested with: 20, 22, 24 or 26' },
    );
  // Bound without SO_REUSEADDR, which on Linux would let a second socket take the datagrams of the first.
  const problem = ipVersion(address) === 6 ? handle.bind6(address, port, 0) : handle.bind(address, port, 0);
  if (problem === 0) return handle;
  handle.close();
  const where = formatSocketAddress({ type, host, port });
  throw addressError(where, systemErrorCode(problem), { host, port }, thisMachine(false));
}
