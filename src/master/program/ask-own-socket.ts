/**
 * Requests a path from one worker, whatever program it is, over its own listening socket. With reuse_port, the kernel directs the connection by the port
 * from which it comes (ADR 46). So a worker can be asked that gets no other connection yet, and no other worker can answer in its place.
 */
import { declaredName } from '../../shared/protocol.ts';
import type { Platform, StartedProbe } from '../process/platform.ts';
import { bytesOf } from '../sockets/sockaddr.ts';
import type { RunningWorker } from './running-worker.ts';
import type { Versions } from './versions.ts';

/** The dynamic ports (RFC 6335, section 6). */
const firstPort = 49_152;
const lastPort = 65_535;

/** The User-Agent of a request, which is the same as that of requests inside a Node.js worker. */
export type UserAgent = 'graceful-run (health check)' | 'graceful-run (warm-up)';

/** How many ports are tried: on the first ones, a connection may just have ended. */
const mostPorts = 5;

/** Makes one attempt. The worker has a queue of its own. */
export function askOwnSocket(
  platform: Pick<Platform, 'probe'>,
  versions: Pick<Versions, 'of'>,
  worker: RunningWorker,
  path: string,
  userAgent: UserAgent,
): StartedProbe {
  let isOver = false;
  let current: StartedProbe | null = null;
  const ask = async (portsLeft: number): Promise<string | null> => {
    current = askFromPort(platform, versions, worker, path, userAgent);
    const problem = await current.outcome;
    const isPortTaken = problem !== null && /: (?:EADDRINUSE|EADDRNOTAVAIL)$/.test(problem);
    return isPortTaken && portsLeft > 1 && !isOver ? ask(portsLeft - 1) : problem;
  };
  return {
    outcome: ask(mostPorts),
    cancel: () => {
      isOver = true;
      current?.cancel();
    },
  };
}

function askFromPort(
  platform: Pick<Platform, 'probe'>,
  versions: Pick<Versions, 'of'>,
  { generation, queue }: RunningWorker,
  path: string,
  userAgent: UserAgent,
): StartedProbe {
  const { plan, listeners } = versions.of(generation);
  const [listener] = listeners;
  const address = listener?.boundAt ?? listener?.address;
  if (listener === undefined || address?.type !== 'tcp') return failed('it has no listener of TCP');
  const { host: bound, port } = address;
  const wanted = plan.listeners.find(({ name }) => name === declaredName(listener));
  const isIPv6Only = wanted?.type === 'tcp' && wanted.options?.ipv6Only === true;
  const host = reachable(bound, isIPv6Only);
  const fromPort = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1));
  const release = listener.slots.steer(queue, { address: Uint8Array.from(bytesOf(host)), port: fromPort });
  if (typeof release === 'string') return failed(`the kernel does not direct a connection to it: ${release}`);
  const { outcome, cancel } = platform.probe({ kind: 'http', host, port, path, fromPort, userAgent });
  return {
    outcome: outcome.finally(release),
    cancel: () => {
      release();
      cancel();
    },
  };
}

function failed(why: string): StartedProbe {
  return { outcome: Promise.resolve(`the worker cannot be asked: ${why}`), cancel: () => undefined };
}

/** An address of this machine at which a socket with this address is reached. */
function reachable(host: string, isIPv6Only: boolean): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return isIPv6Only ? '::1' : '127.0.0.1';
  // Its packets are those of IPv4.
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host;
}
