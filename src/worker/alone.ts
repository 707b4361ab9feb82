/** A worker without a master: binds by itself, and drains with the same machinery when it is told to end. */
import { constants } from 'node:os';
import { createApplication } from './application.ts';
import { coveredHandle } from './raw-handle.ts';
import { createDraining } from './draining.ts';
import { readDrainTimeout } from './environment.ts';
import { patchServers, type Placement } from './listen.ts';
import { createReadiness } from './readiness.ts';
import { runtimeVersion, type Runtime } from './runtime.ts';
import { hearServers } from './server-events.ts';
import { serverMethod } from './server-methods.ts';
import { createTracking } from './tracking.ts';

const signals = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

export function startAlone(): Runtime {
  const timeoutMs = readDrainTimeout(process.env);
  const readiness = createReadiness([], () => undefined);

  const end = (signal: NodeJS.Signals): void => {
    // The second one: somebody is waiting at a terminal. 128 + number is what a shell shows for a signal.
    if (draining.isBegun()) process.exit(128 + constants.signals[signal]);
    if (signal === 'SIGTERM') draining.noteTermination();
    draining.begin();
  };

  const application = createApplication();
  const { exchanges, connections } = createTracking(serverMethod('close'));
  const draining = createDraining({
    exchanges,
    connections,
    application,
    // `stop`: nobody comes after it who would accept what waits in the queue.
    word: () => Promise.resolve(),
    order: () => ({ reason: 'stop', timeoutMs, migrates: false }),
    begun: () => undefined,
    acceptsNoMore: () => undefined,
    ended: () => Promise.resolve(),
    listenerOf: () => null,
    // Those of SIGINT and SIGQUIT have heard it: nobody is between them and the signal.
    cleanUpSignals: ['SIGTERM'],
    isOurs: (listener) => listener === end,
  });

  const passThrough: Placement = { kind: 'passThrough', isOutside: false };
  hearServers((server, event, first) => {
    connections.heard(server, event, first);
  });
  patchServers({
    place: ({ target }) => {
      const handle =
        draining.isBegun() && target.kind === 'tcp' ? coveredHandle(target.host, target.port) : null;
      return handle === null ? passThrough : { kind: 'handle', handle, backlog: 0 };
    },
    track: (server) => {
      connections.track(server);
    },
    outside: () => undefined,
    takeQuietlyClosed: (server) => connections.takeQuietlyClosed(server),
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
    migrate: (socket, gift) => draining.give(socket, gift),
    onAdopt: () => undefined,
  };
}
