/**
 * Refuses connections of this process to its own port until a server of it listens, as the kernel would without a master. Programs that
 * connect to see whether their port is free (`serve`, tcp-port-used) would reach the accept queue of the master's listener, find the
 * port in use and listen elsewhere.
 */
import { isRecord, type AnnouncedListener } from '../../shared/protocol.ts';
import { isWildcard } from './addresses.ts';

/**
 * The number of connections that are refused at most: a program that connects more often waits for another process that serves, as `wait-on` does
 * beside a server. A check whether a port is free takes one connection for each address of `localhost`.
 */
const maxRefused = 4;

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Starts refusing. The returned function stops it; a second call of that function changes nothing. */
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
      // On a later tick, as the kernel's answer would arrive.
      process.nextTick(() => {
        this.connecting = false;
        this.destroy(refused(target));
      });
      return this;
    },
  };
  Object.defineProperty(prototype, 'connect', { ...own, value: Reflect.get(replacement, 'connect') });
  return () => {
    // Code that has replaced `connect` in the meantime still calls this one, which now passes every call on.
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

/** Reads `connect(port, host)` and `connect(options)`; Node.js itself passes an array of these arguments. Null if the target is not TCP. */
function targetOf(args: readonly unknown[]): Target | null {
  const [first, second] = args;
  if (Array.isArray(first)) return targetOf(first);
  const isOptions = isRecord(first);
  if (isOptions && first['path']) return null;
  const port: unknown = isOptions ? first['port'] : first;
  const host: unknown = isOptions ? first['host'] : second;
  if (typeof port !== 'number' && typeof port !== 'string') return null;
  return { port: Number(port), host: typeof host === 'string' && host !== '' ? host : 'localhost' };
}

function isMeant(listener: AnnouncedListener, { host, port }: Target): boolean {
  if (listener.type !== 'tcp' || listener.port !== port) return false;
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
