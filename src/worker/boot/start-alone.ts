/** Starts a worker without a master: it binds by itself, and drains as a managed worker does at SIGTERM, SIGINT and SIGQUIT. */
import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { createApplication } from '../api/application.ts';
import { monotonicMs } from '../../shared/clock.ts';
import { standInHandle } from '../node-internals/listening-handle.ts';
import type { DrainOrder } from '../drain/drain-order.ts';
import { complainOfCut } from '../drain/clean-up.ts';
import { createDrain } from '../drain/drain.ts';
import { readDrainTimeout } from './environment.ts';
import { patchServers } from '../listen/intercept-listen.ts';
import { passThrough } from '../listen/placement.ts';
import { createReadiness } from '../listen/worker-readiness.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { findRuntime, publishRuntime, runtimeVersion, type Runtime } from '../api/runtime.ts';
import { observeServers, serverMethod } from '../node-internals/server-prototype.ts';
import { signalExitCount } from '../process/other-signal-handlers.ts';
import { createTracking } from '../tracking/tracking.ts';

const signals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

/**
 * The first signal may arrive twice within this time: a terminal or systemd sends it to every process, and npm forwards what it gets. No
 * user sends two requests that fast.
 */
const sameSignalMs = 200;

/** Typed for any event name: the types of `process` have one overload for each. */
const emitter: Pick<EventEmitter, 'emit' | 'listeners'> = process;

/**
 * The runtime that the preload has published, or that of a worker without a master, which the first call starts. Throws GracefulRunError
 * `workerMisuse` if the master's version does not match.
 */
export function runtimeOfProcess(): Runtime {
  const found = findRuntime();
  if (found === 'other') {
    throw new GracefulRunError(
      'workerMisuse',
      'cannot join the master: it is of another version of graceful-run',
      {
        hint: 'install the same major version for the application and for the master',
      },
    );
  }
  if (found !== null) return found;
  const runtime = startAlone();
  publishRuntime(runtime);
  return runtime;
}

function startAlone(): Runtime {
  const timeoutMs = readDrainTimeout(process.env);
  const readiness = createReadiness([], () => undefined);

  const receivedAt = new Map<NodeJS.Signals, number>();
  /** The signal that began the drain, and when it arrived. */
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  const end = (signal: NodeJS.Signals): void => {
    const at = monotonicMs();
    // Noted because the application has listeners of its own, which are called as well.
    if (listenerCount(signal) > 0) receivedAt.set(signal, at);
    if (first === null) {
      first = { signal, at };
      drain.begin();
      return;
    }
    if (signal === first.signal && at - first.at < sameSignalMs) return;
    // This is the second signal, probably from a terminal. 128 + number is the exit code that a shell shows for a signal.
    process.exit(128 + constants.signals[signal]);
  };

  const listenerCount = (signal: NodeJS.Signals): number =>
    emitter.listeners(signal).filter((one) => one !== end).length;
  const release = (): void => {
    for (const signal of signals) process.off(signal, end);
  };

  // `stop`: no other process accepts the connections in the accept queue after this one.
  const order: DrainOrder = { reason: 'stop', timeoutMs, migrates: false, emptiesQueues: false };
  const application = createApplication();
  const tracking = createTracking(serverMethod('close'));
  const drain = createDrain({
    datagrams: null,
    tracking,
    application,
    slot: 0,
    order: { current: () => order, wait: () => Promise.resolve(order) },
    orderKnown: () => undefined,
    acceptsNoMore: () => undefined,
    ended: () => Promise.resolve(),
    listenerOf: () => null,
    signals: {
      listenerCount,
      isMeant: (signal) => listenerCount(signal) > signalExitCount(),
      emit: (signal) => emitter.emit(signal, signal, constants.signals[signal]),
      receivedAt: (signal) => receivedAt.get(signal) ?? null,
      // From this call on, the application decides what a further signal does.
      holdOn: release,
      watchOwn: () => undefined,
      release,
    },
    killedAfterMs: () => 0,
    cleanUpCut: (what) => {
      complainOfCut(what);
      return Promise.resolve();
    },
  });

  observeServers((server, event, first) => {
    tracking.noteEvent(server, event, first);
  });
  patchServers({
    place: ({ target }) => {
      // A request in flight may need a server on port 0, any free port. Clients do not know such a port.
      const handle =
        drain.isBegun() && target.kind === 'tcp' && target.port !== 0
          ? standInHandle(target.host, target.port)
          : null;
      return handle === null ? passThrough : { kind: 'handle', handle, backlog: 0, path: null };
    },
    track: (server) => {
      tracking.servers.track(server);
    },
    outside: () => undefined,
    takeQuietlyClosed: (server) => tracking.servers.takeQuietlyClosed(server),
  });
  for (const signal of signals) process.on(signal, end);

  return {
    version: runtimeVersion,
    isManaged: false,
    generation: 0,
    signal: () => application.signal(),
    onDrain: (hook, when) => {
      application.hooks.add(hook, when);
    },
    choose: (mode) => readiness.choose(mode),
    ready: () => undefined,
    requestReload: () => false,
    migrate: (socket, request) => drain.migrate(socket, request),
    onAdopt: () => undefined,
  };
}
