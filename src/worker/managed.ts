/**
 * A worker under a master, up to the moment in which it is ready: joins the channel, the listeners and the readiness. What comes
 * after that is in serving.ts. Everything is decided elsewhere.
 */
import type net from 'node:net';
import type { WorkerMessage } from '../shared/protocol.ts';
import { openChannel } from './channel.ts';
import { createClaims } from './claims.ts';
import type { Settings } from './environment.ts';
import { createHealthGate } from './health-gate.ts';
import { keepListening } from './keep-listening.ts';
import { whenListenEnded } from './listen-outcome.ts';
import { patchServers } from './listen.ts';
import { loadHealth } from './load-health.ts';
import { isRawHandle } from './raw-handle.ts';
import { createReadiness } from './readiness.ts';
import { runtimeVersion, type Runtime } from './runtime.ts';
import { serverMethod } from './server-methods.ts';
import { createServing, type Serving } from './serving.ts';
import { takeSignal } from './take-signal.ts';

export function startManaged({ generation, listeners, drainTimeoutMs, health }: Settings): Runtime {
  const { pid } = process;

  const send = (message: WorkerMessage): void => {
    void channel.send(message);
  };

  const channel = openChannel({
    message(message, handle) {
      if (message.type !== 'listener') serving().told(message, handle);
      else if (isRawHandle(handle)) claims.arrived(message.name, handle);
    },
    gone() {
      serving().masterGone();
    },
  });

  const sayReady = (): void => {
    send({ type: 'ready', pid });
    // While the master reads it: what is called for the first time is compiled.
    serving();
  };

  const [first] = listeners;
  const healthGate =
    health === null || first === undefined
      ? null
      : createHealthGate({
          order: health,
          port: first.port,
          load: loadHealth,
          notReadyYet: (reason) => {
            send({ type: 'notReadyYet', pid, reason });
          },
          passed: sayReady,
        });

  const readiness = createReadiness(
    listeners.map(({ name }) => name),
    () => {
      if (healthGate === null) sayReady();
      else healthGate.begin();
    },
  );

  const claims = createClaims({
    listeners,
    wantListener: (name) => {
      send({ type: 'listenerWanted', pid, name });
    },
    listening: (name) => {
      // For a turn: another listen of the same turn may have failed, and end the process.
      setImmediate(readiness.hold());
      readiness.listening(name);
    },
    released: (name) => {
      readiness.released(name);
    },
    undeclared: (address) => {
      send({ type: 'undeclaredListen', pid, address });
    },
    wide: (address) => {
      send({ type: 'wideListen', pid, address });
    },
  });

  const begin = (): void => {
    serving().draining.begin();
  };

  const close = serverMethod('close');
  /** Servers that accept nothing before the worker is admitted. */
  const heldBack = new Set<net.Server>();
  let made: Serving | null = null;

  function serving(): Serving {
    if (made !== null) return made;
    made = createServing({
      drainTimeoutMs,
      claims,
      close,
      send: (message) => channel.send(message),
      keepListening,
      begun: () => {
        healthGate?.stop();
      },
      drainListener: begin,
    });
    for (const server of heldBack) made.draining.track(server);
    heldBack.clear();
    return made;
  }

  patchServers({
    place: (call) => claims.place(call),
    track: (server, isHeldBack) => {
      if (made === null && isHeldBack) heldBack.add(server);
      else serving().draining.track(server);
      healthGate?.track(server);
    },
    outside: (server) => {
      // A second port of the application, which the old generation may hold: a worker that dies of it was never ready.
      whenListenEnded(server, readiness.hold());
    },
    takeQuietlyClosed: (server) => made?.draining.connections.takeQuietlyClosed(server) ?? false,
  });
  takeSignal('SIGQUIT', begin);
  setImmediate(() => {
    readiness.loaded();
  });

  return {
    version: runtimeVersion,
    isManaged: true,
    generation,
    signal: () => serving().draining.signal(),
    onDrain: (hook, when) => {
      serving().draining.hooks.add(hook, when);
    },
    choose: (mode) => readiness.choose(mode),
    ready: () => {
      readiness.say();
    },
    migrate: (socket, gift) => serving().draining.give(socket, gift),
    onAdopt: (name, handler) => {
      serving().onAdopt(name, handler);
    },
    requestReload: () => {
      if (!process.connected) return false;
      send({ type: 'reloadWanted', pid });
      return true;
    },
  };
}
