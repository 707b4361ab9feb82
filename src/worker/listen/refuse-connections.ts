/**
 * Programs that look whether their port is free by connecting to it (`serve`, tcp-port-used) find the queue of the master's listener, take
 * the port for taken and listen elsewhere. So before a server of this process listens, such a connection is refused, as it would be
 * without a master. It must not know why a program connects.
 */
import type { AnnouncedListener } from '../../shared/protocol.ts';
import { isWildcard } from './addresses.ts';

/**
 * Up to here it is a look; a program that asks again and again waits for another process, which serves: `wait-on` beside the server.
 * One look is one connection for each address of `localhost`.
 */
const maxRefused = 4;

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Begins to refuse; what this answers ends it. A second call of that changes nothing. */
export function refuseConnections(listeners: readonly AnnouncedListener[]): () => void {
  const { prototype } = process.getBuiltinModule('node:net').Socket;
  const own = Object.getOwnPropertyDescriptor(prototype, 'connect');
  const connect: unknown = own?.value;
  if (own === undefined || typeof connect !== 'function') return () => undefined;
  let left = maxRefused;
  const replacement = {
    connect(this: Connecting, ...args: readonly unknown[]): unknown {
      const target = left > 0 ? targetOf(args) : null;
      if (target === null || !listeners.some((listener) => isMeant(listener, target)))
        return Reflect.apply(connect, this, args);
      left -= 1;
      this.connecting = true;
      // On a later tick, as what the kernel says comes.
      process.nextTick(() => {
        this.connecting = false;
        this.destroy(refused(target));
      });
      return this;
    },
  };
  Object.defineProperty(prototype, 'connect', { ...own, value: Reflect.get(replacement, 'connect') });
  return () => {
    // Something that has replaced it meanwhile calls ours, which does nothing any more.
    left = 0;
    if (Reflect.get(prototype, 'connect') === Reflect.get(replacement, 'connect'))
      Object.defineProperty(prototype, 'connect', own);
  };
}

interface Connecting {
  connecting: boolean;
  destroy(error: Error): unknown;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

/** Of `connect(port, host)` and `connect(options)`; Node.js itself calls it with an array of the two. Null: not TCP. */
function targetOf(args: readonly unknown[]): Target | null {
  const [first, second] = args;
  if (Array.isArray(first)) return targetOf(first);
  const isOptions = typeof first === 'object' && first !== null;
  if (isOptions && Reflect.get(first, 'path')) return null;
  const port: unknown = isOptions ? Reflect.get(first, 'port') : first;
  const host: unknown = isOptions ? Reflect.get(first, 'host') : second;
  if (typeof port !== 'number' && typeof port !== 'string') return null;
  return { port: Number(port), host: typeof host === 'string' && host !== '' ? host : 'localhost' };
}

function isMeant(listener: AnnouncedListener, { host, port }: Target): boolean {
  if (listener.port !== port) return false;
  return loopback.test(host) || isWildcard(host) || host === listener.host;
}

function refused({ host, port }: Target): Error {
  const address = host === 'localhost' || isWildcard(host) ? '127.0.0.1' : host;
  const { errno } = process.getBuiltinModule('node:os').constants;
  return Object.assign(new Error(`connect ECONNREFUSED ${address}:${port}`), {
    errno: -errno.ECONNREFUSED,
    code: 'ECONNREFUSED',
    syscall: 'connect',
    address,
    port,
  });
}
