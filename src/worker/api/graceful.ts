/** The public API of a worker. */
import type { Server, Socket } from 'node:net';
import { GracefulRunError } from '../../shared/errors.ts';
import { currentContext } from '../process/async-context.ts';
import type { AdoptHandler } from '../migration/adopt-connections.ts';
import type { DrainHook, DrainMoment } from './drain-hooks.ts';
import { asJson } from '../migration/application-state.ts';
import type { ReadyMode } from '../listen/worker-readiness.ts';
import { runtimeOfProcess } from '../boot/start-alone.ts';
import type { Runtime } from './runtime.ts';

export interface GracefulOptions {
  /** When the worker is ready. Default: `auto`. */
  readonly ready?: ReadyMode;
}

export interface ListenOptions {
  /** 0 to 65535; 0 is any free port, which the master never holds. */
  readonly port: number;
  /** A name or a numeric address. Default: every address, as Node.js does it. */
  readonly host?: string;
  /** Length of the accept queue without a master; the master declares its own. Default: that of Node.js, 511. */
  readonly backlog?: number;
}

export interface MigrateOptions {
  /** The name of the handler in the destination worker: `worker.onAdopt(name, …)`. */
  readonly to: string;
  /**
   * JSON, at most 64 KiB. A function is called at the last moment, when the destination worker holds the connection, this worker no longer
   * reads from it, and everything is written; an error that it throws rejects `migrate`. Default: null.
   */
  readonly state?: unknown;
  /**
   * Called in the same turn as `state`: from now on the connection belongs to the destination worker. The place to remove the socket's
   * listeners. Write nothing after it; the socket is destroyed soon.
   */
  readonly released?: () => void;
}

/** This process as a worker. */
export interface Worker {
  /**
   * Makes the server listen: on the master's listener if one is declared for the address, otherwise by binding itself.
   * Resolves when it listens; rejects with the error that the server emits, such as EADDRINUSE. The server may be of any
   * kind that Node.js has (http, https, http2, net, tls). A second call for a server that listens rejects
   * with ERR_SERVER_ALREADY_LISTEN. `server.listen()` does the same without a promise.
   */
  listen(server: Server, options: ListenOptions): Promise<void>;
  /**
   * Runs the hook in a drain. By default (`when: 'last'`) when the last connection is closed, or was cut at the deadline:
   * the place to close a database, which requests need until then. With `when: 'first'` as soon as the drain
   * begins: the place to leave a service registry, or to end streams that would never end by themselves.
   * Hooks of one moment run in the order in which they were added, each awaited, all of them bounded by `deadline`; if the
   * deadline passes first, `last` hooks still get 400 ms. A hook that throws is reported on stderr and does not
   * stop the others. A function that is added twice runs twice.
   */
  onDrain(hook: DrainHook, options?: { readonly when?: DrainMoment }): void;
  /**
   * Tells the master that the worker can serve (`ready: 'manual'`). It may be called before the servers listen.
   * A second call changes nothing, nor does a call in automatic mode or without a master.
   */
  ready(): void;
  /** Aborts when the drain begins. Always the same signal. */
  readonly signal: AbortSignal;
  /** The number of the generation that this worker belongs to: 1, 2, 3 …; 0 without a master. */
  readonly generation: number;
  /** True under a master. */
  readonly isManaged: boolean;
  /**
   * While draining: hands a connection of a custom protocol over to a newer worker, the destination, together with `state` and
   * with bytes that were read and not consumed. This worker stops reading from it, and destroys its socket once the destination has the
   * connection; the client notices nothing. What is written before `released` is sent before anything that the destination writes. Plain
   * connections over TCP or a UNIX socket only. Rejects with GracefulRunError `nobodyToAdopt` if this worker does not drain, if there is no newer worker (without a
   * master, in a stop, with `--no-migrate`), or if none has a handler of that name; with `workerMisuse` if the socket is not an open plain
   * connection or the state is not JSON of at most 64 KiB. After an error this worker serves the connection as before.
   */
  migrate(socket: Socket, options: MigrateOptions): Promise<void>;
  /**
   * Takes connections that another worker migrates to `name`, with their state. Add the handler before the worker is ready. The
   * socket is paused until it is read. A second handler for a name replaces the first. If a handler throws, its connection is destroyed.
   */
  onAdopt(name: string, handler: AdoptHandler): void;
  /** Requests a reload from the master; returns false without one. Requests during a reload are merged into a single further reload. */
  requestReload(): boolean;
}

let current: Worker | null = null;

/**
 * Returns this process as a worker, with or without a master. Without one, the first call makes SIGTERM, SIGINT and SIGQUIT drain the
 * process and end it within 30 s (or GRACEFUL_RUN_DRAIN_TIMEOUT_MS); a second signal ends it at once, unless it is the same one again within
 * 200 ms. Call it before servers listen, because it does not know servers that listen already.
 *
 * Every call returns the same worker. Throws GracefulRunError `workerMisuse` if `ready` differs from that of the first call, if `manual`
 * comes after the worker was ready, or if the master's version does not match.
 */
export function graceful(options: GracefulOptions = {}): Worker {
  const runtime = runtimeOfProcess();
  if (current === null || options.ready !== undefined) choose(runtime, options.ready ?? 'auto');
  return (current ??= workerOver(runtime));
}

function choose(runtime: Runtime, mode: ReadyMode): void {
  switch (runtime.choose(mode)) {
    case 'chosen':
      return;
    case 'disagrees':
      throw new GracefulRunError(
        'workerMisuse',
        `cannot make ready '${mode}': an earlier graceful() chose the other mode`,
        {
          hint: 'pass `ready` in the first call of graceful() only',
        },
      );
    case 'tooLate':
      throw new GracefulRunError('workerMisuse', `cannot make ready 'manual': this worker is ready already`, {
        hint: "call graceful({ ready: 'manual' }) before the servers listen",
      });
  }
}

function workerOver(runtime: Runtime): Worker {
  return {
    listen: (server, options) =>
      new Promise((resolve, reject) => {
        const settle = (error?: Error): void => {
          server.off('listening', settle);
          server.off('error', settle);
          if (error === undefined) resolve();
          else reject(error);
        };
        server.once('listening', settle);
        server.once('error', settle);
        try {
          server.listen({ ...options });
        } catch (error) {
          settle(error instanceof Error ? error : new Error(String(error)));
        }
      }),
    onDrain: (hook, { when = 'last' } = {}) => {
      runtime.onDrain(hook, when);
    },
    ready: () => {
      runtime.ready();
    },
    get signal() {
      return runtime.signal();
    },
    generation: runtime.generation,
    isManaged: runtime.isManaged,
    migrate: async (socket, { to, state = null, released = () => undefined }) => {
      const context = currentContext();
      const content = (): unknown =>
        asJson(typeof state === 'function' ? Reflect.apply(state, undefined, []) : state);
      const result = await runtime.migrate(socket, {
        to,
        state: () => context.run(content),
        released: () => {
          context.run(released);
        },
      });
      if (result !== 'taken') throw cannotMigrate(result, to);
    },
    onAdopt: (name, handler) => {
      runtime.onAdopt(name, handler);
    },
    requestReload: () => runtime.requestReload(),
  };
}

function cannotMigrate(why: 'nobody' | 'notMovable', to: string): GracefulRunError {
  return why === 'nobody'
    ? new GracefulRunError('nobodyToAdopt', `cannot migrate: no worker adopts connections for '${to}' now`, {
        hint: 'is it draining because of a reload, and does the new release call worker.onAdopt with this name?',
      })
    : new GracefulRunError(
        'workerMisuse',
        'cannot migrate: this is not an open plain connection over TCP or a UNIX socket',
        {
          hint: 'connections over TLS cannot move: close each of them when its last response has been sent',
        },
      );
}
