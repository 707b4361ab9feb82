/** The public API of a worker: the application's side of `Runtime`. */
import type { Server, Socket } from 'node:net';
import { GracefulRunError } from '../../shared/errors.ts';
import { currentContext } from '../process/async-context.ts';
import type { AdoptHandler } from '../migration/adopt-connections.ts';
import type { DrainHook, DrainMoment } from './drain-hooks.ts';
import { asJson } from '../migration/application-state.ts';
import type { ReadyMode } from '../listen/readiness.ts';
import { runtimeOfProcess } from '../boot/start-alone.ts';
import type { Runtime } from './runtime.ts';

export interface GracefulOptions {
  /**
   * When the worker counts as ready. `auto`, the default: as soon as it listens on every declared listener.
   * `manual`: when moreover `worker.ready()` has been called.
   */
  readonly ready?: ReadyMode;
}

export interface ListenOptions {
  /** 0 to 65535; 0 is any free port, which no master holds. */
  readonly port: number;
  /** A name or a numeric address. Default: every address, as Node.js does it. */
  readonly host?: string;
  /** Length of the accept queue when run alone; under a master the declared one counts. Default: that of Node.js, 511. */
  readonly backlog?: number;
}

export interface MigrateOptions {
  /** The name of the handler over there: `worker.onAdopt(name, …)`. */
  readonly to: string;
  /**
   * JSON, at most 64 KiB. A function is asked at the last moment, when the other worker holds the connection, nothing is read here
   * any more and everything was written; what it throws rejects `migrate`. Default: null.
   */
  readonly state?: unknown;
  /**
   * Called in the same turn as `state`: from now on the connection is the other worker's. The place to remove the socket's listeners
   * and to write nothing more; the socket is destroyed soon.
   */
  readonly released?: () => void;
}

/** This process, as graceful-run sees it. */
export interface Worker {
  /**
   * Makes the server listen: on the master's listener where one is declared for the address, else by binding itself.
   * Resolves when it listens; rejects with the error that the server emits, such as EADDRINUSE. The server may be of any
   * kind that Node.js has (http, https, http2, net, tls). A second call for a server that listens rejects
   * with ERR_SERVER_ALREADY_LISTEN. `server.listen()` does the same; this is a promise for it.
   */
  listen(server: Server, options: ListenOptions): Promise<void>;
  /**
   * Runs the hook in a drain. By default (`when: 'last'`) when the last connection is gone, or was cut at the deadline:
   * the place to close a database, which requests needed until then. With `when: 'first'` as soon as the drain
   * begins: the place to leave a service registry, or to end streams that would never end by themselves.
   * Hooks of one moment run in the order in which they were added, each awaited, all of them bounded by `deadline`; last
   * hooks that the deadline has overtaken still get 400 ms. One that throws is reported on stderr and does not
   * stop the others. Adding a function twice runs it twice.
   */
  onDrain(hook: DrainHook, options?: { readonly when?: DrainMoment }): void;
  /**
   * Says that the worker can serve (`ready: 'manual'`). It is remembered when the listeners do not listen yet.
   * A second call changes nothing, nor does one in automatic mode or when run alone.
   */
  ready(): void;
  /** Aborts when the drain begins. Always the same signal. */
  readonly signal: AbortSignal;
  /** The number of the generation that this worker belongs to: 1, 2, 3 …; 0 when run alone. */
  readonly generation: number;
  /** True under a master. */
  readonly isManaged: boolean;
  /**
   * While draining: gives a connection of the application's own protocol to a worker that serves after this one. It stops being
   * read here, goes with `state` and whatever was read and not used, and once it was taken the socket is destroyed here,
   * without the client noticing. What is written until `released` goes out before anything that the other worker writes. Only plain TCP.
   * Rejects with GracefulRunError `nobodyToAdopt` when this worker does not drain, there is none after it (run alone, a stop,
   * `--no-migrate`), or none has a handler of that name; with `workerMisuse` when the socket is not an open plain TCP connection or
   * the state is not JSON of at most 64 KiB. After an error the connection is served here as before.
   */
  migrate(socket: Socket, options: MigrateOptions): Promise<void>;
  /**
   * Takes connections that another worker migrates to `name`, with their state. Add it before the worker is ready. The
   * socket is paused until it is read. A second handler of a name replaces the first; what one throws destroys its connection.
   */
  onAdopt(name: string, handler: AdoptHandler): void;
  /** Asks the master for a reload; false when there is none to ask. Requests during a reload become one more. */
  requestReload(): boolean;
}

let current: Worker | null = null;

/**
 * This process as a worker, under a master or alone. Alone, the first call makes SIGTERM, SIGINT and SIGQUIT drain and exit
 * within 30 s (or GRACEFUL_RUN_DRAIN_TIMEOUT_MS); a second signal exits at once. Call it before servers
 * listen, so that it knows them.
 *
 * A second call gives the same worker. Throws GracefulRunError `workerMisuse` when its `ready` differs from
 * the first call's, when `manual` comes after the worker was ready, or when the master's version does not fit.
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
    : new GracefulRunError('workerMisuse', 'cannot migrate: this is not an open plain TCP connection', {
        hint: 'connections over TLS cannot move: end them after what is in flight',
      });
}
