/** A worker under a master: joins the channel, the listeners, the readiness and the drain. Everything is decided elsewhere. */
import type { WorkerMessage } from '../shared/protocol.ts';
import { openChannel } from './channel.ts';
import { createClaims } from './claims.ts';
import { createDraining } from './draining.ts';
import type { Settings } from './environment.ts';
import { firstMomentsMs } from './first-moments.ts';
import { createHealthGate } from './health-gate.ts';
import { keepListening } from './keep-listening.ts';
import { whenListenEnded } from './listen-outcome.ts';
import { patchServers } from './listen.ts';
import { loadHealth } from './load-health.ts';
import { loadLater } from './load-later.ts';
import type { AdoptHandler, AdoptionParts } from './migration/adoption.ts';
import { closeHandle, isRawHandle } from './raw-handle.ts';
import { createReadiness } from './readiness.ts';
import { runtimeVersion, type Runtime } from './runtime.ts';
import { complain, surviveBrokenPipes } from './standard-streams.ts';
import { takeSignal } from './take-signal.ts';
import { createWord } from './word.ts';

export function startManaged({ generation, listeners, drainTimeoutMs, health }: Settings): Runtime {
  const { pid } = process;
  const word = createWord(drainTimeoutMs);

  const send = (message: WorkerMessage): void => {
    void channel.send(message);
  };

  const channel = openChannel({
    message(message, handle) {
      switch (message.type) {
        case 'admit':
          claims.admit();
          // Neither at boot nor now, when the first client waits: it costs some milliseconds.
          setTimeout(catchUp, firstMomentsMs).unref();
          break;
        case 'drain':
          word.said(message);
          // The signal is for those who do not hear this.
          draining.begin();
          break;
        case 'listener':
          if (isRawHandle(handle)) claims.arrived(message.name, handle);
          break;
        case 'successor':
          draining.addSuccessor(handle, message.more);
          break;
        case 'predecessor':
          if (hasCaughtUp) adoptFrom(handle);
          else predecessors.push(handle);
          break;
      }
    },
    gone() {
      word.masterGone();
      surviveBrokenPipes();
      draining.begin();
    },
  });

  let hasCaughtUp = false;
  /** Ends of pipes to workers that drain, not opened yet. */
  const predecessors: unknown[] = [];

  /**
   * From now on broken pipes are survived, should the master go without a word, and SIGTERM, should somebody send it to everybody, as
   * systemd does by default; the package may be replaced on disk; and connections come from other workers.
   */
  const catchUp = (): void => {
    hasCaughtUp = true;
    surviveBrokenPipes();
    listenForTermination();
    loadLater();
    for (const end of predecessors.splice(0)) adoptFrom(end);
  };

  const adoptFrom = (end: unknown): void => {
    const later = loadLater();
    if (later === null) closeHandle(end);
    else later.adoptFrom(end, adoption);
  };

  const sayReady = (): void => {
    send({ type: 'ready', pid });
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
    draining.begin();
  };

  /** During a drain, the master is out of patience; unless it stops, and whoever stops it has signalled all of us. */
  const terminated = (): void => {
    draining.noteTermination();
    if (!draining.isBegun()) {
      draining.begin();
      return;
    }
    // Now: the application's own listeners may end the process.
    const toll = draining.toll();
    if (toll !== null) send({ type: 'drained', pid, ...toll });
    const { reason } = word.order();
    if (reason !== 'stop' && reason !== 'signal') draining.hurry();
  };

  let isListening = false;
  const listenForTermination = (): void => {
    if (isListening) return;
    isListening = true;
    keepListening('SIGTERM', terminated);
  };

  const draining = createDraining({
    later: loadLater,
    word: () => (process.connected ? word.known() : Promise.resolve()),
    order: () => word.order(),
    begun: () => {
      claims.close();
      healthGate?.stop();
      listenForTermination();
    },
    acceptsNoMore: () => {
      send({ type: 'acceptsNoMore', pid });
    },
    listenerOf: (server) => claims.nameOf(draining.connections.handleOf(server)),
    ended: (toll) => channel.send({ type: 'drained', pid, ...toll }),
    cleanUpSignals: ['SIGTERM', 'SIGQUIT'],
    isOurs: (listener) => listener === terminated || listener === begin,
  });

  const adoptHandlers = new Map<string, AdoptHandler>();
  const adoption: AdoptionParts = {
    handlers: adoptHandlers,
    acceptorOf: (name) => {
      const listening = claims.acceptingOn(name);
      return listening === null ? null : draining.connections.acceptorOn(listening);
    },
    adopted: (socket) => {
      draining.connections.adopt(socket);
    },
    isDraining: () => draining.isBegun(),
    failed: (error) => {
      complain(`a handler of adopted connections failed: ${String(error)}`);
    },
  };

  patchServers({
    place: (call) => claims.place(call),
    track: (server) => {
      draining.track(server);
      healthGate?.track(server);
    },
    outside: (server) => {
      // A second port of the application, which the old generation may hold: a worker that dies of it was never ready.
      whenListenEnded(server, readiness.hold());
    },
    takeQuietlyClosed: (server) => draining.connections.takeQuietlyClosed(server),
  });
  takeSignal('SIGQUIT', begin);
  setImmediate(() => {
    readiness.loaded();
  });

  return {
    version: runtimeVersion,
    isManaged: true,
    generation,
    signal: () => draining.signal(),
    onDrain: (hook, when) => {
      draining.hooks.add(hook, when);
    },
    choose: (mode) => readiness.choose(mode),
    ready: () => {
      readiness.say();
    },
    migrate: (socket, gift) => draining.give(socket, gift),
    onAdopt: (name, handler) => {
      adoptHandlers.set(name, handler);
    },
    requestReload: () => {
      if (!process.connected) return false;
      send({ type: 'reloadWanted', pid });
      return true;
    },
  };
}
