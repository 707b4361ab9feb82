/**
 * A worker under a master, up to the moment in which it is ready: joins the channel, the listeners and the readiness. What comes
 * after that is in serving.ts. Everything is decided elsewhere.
 */
import type net from 'node:net';
import { heldByMaster, type WorkerMessage } from '../../shared/protocol.ts';
import { writeAddress } from '../listen/addresses.ts';
import { createApplication } from '../api/application.ts';
import { openBundle } from './bundle.ts';
import { isCaught } from '../process/caught-signals.ts';
import { createChannelLock } from '../channel/channel-lock.ts';
import { openChannel, type ChannelEvents } from '../channel/channel.ts';
import { createListenerBindings } from '../listen/listener-bindings.ts';
import type { Settings } from './environment.ts';
import { takeoverPauseMs } from '../drain/takeover-pause.ts';
import type { PassOn } from '../launcher/pass-on.ts';
import { createListenOutcomes } from '../listen/listen-outcome.ts';
import { patchServers } from '../listen/intercept-listen.ts';
import { beforeBareBind, isRawHandle } from '../node-internals/listening-handle.ts';
import { createReadiness } from '../listen/readiness.ts';
import { refuseConnections } from '../listen/refuse-connections.ts';
import { runtimeVersion, type Runtime } from '../api/runtime.ts';
import { hearServers } from '../node-internals/server-events.ts';
import { inContextOf } from '../process/server-contexts.ts';
import { serverMethod } from '../node-internals/server-methods.ts';
import { complain, surviveBrokenPipes } from '../process/standard-streams.ts';
import type { Serving } from './serving.ts';
import { createSignals } from '../process/signals.ts';
import { createTracking, type Tracking } from '../tracking/tracking.ts';

// As it was before the application was loaded, which may have put another one in its place.
const { setTimeout } = globalThis;

export function startManaged(
  { generation, listeners, drainTimeoutMs, masterPid, channelLock, health }: Settings,
  passing: PassOn,
  separateChannel: number | null,
  keepCode: (() => void) | null,
): Runtime {
  const { pid } = process;
  const servingBundle = openBundle('serving');
  const application = createApplication();
  /** Open until this process ends: then the master notices. */
  const lifelines: unknown[] = [];
  const signals = createSignals();
  /** Those that only the application's own listeners may have taken. */
  let freeSignals: readonly ('SIGHUP' | 'SIGUSR2')[] = [];
  // Should the master go without a word.
  surviveBrokenPipes();

  const send = (message: WorkerMessage): void => {
    void channel.send(message);
  };

  const acceptConnections = refuseConnections(listeners);

  const channelEvents: ChannelEvents = {
    message(message, handle) {
      switch (message.type) {
        case 'admit':
          drainAtSignals();
          bindings.admit(admitted);
          // Not now, when the first client waits: it costs some milliseconds.
          setTimeout(catchUp, takeoverPauseMs(drainTimeoutMs)).unref();
          break;
        case 'lifeline':
          lifelines.push(handle);
          break;
        case 'listener':
          if (isRawHandle(handle)) bindings.copyArrived(message.name, handle);
          break;
        case 'listenerSent':
          bindings.copiesSent(message.name, message.request);
          break;
        case 'address':
        case 'addressRefused':
          bindings.addressAnswered(message, isRawHandle(handle) ? handle : null);
          break;
        case 'drain':
        case 'pause':
        case 'confirmPause':
        case 'resume':
        case 'successor':
        case 'predecessor':
        case 'report':
          serving().told(message, handle);
      }
    },
    gone() {
      // The worker is another process, and drains: this one ends when that has ended.
      if (passing.isPassedOn()) return;
      serving().masterGone();
    },
  };
  const takeLock = createChannelLock(channelLock);
  const channel =
    (separateChannel === null
      ? null
      : openBundle('separate-channel')().openSeparateChannel(
          separateChannel,
          masterPid,
          takeLock,
          channelEvents,
        )) ?? openChannel(masterPid, takeLock, channelEvents);

  const admitted = (problem: string | null): void => {
    send(problem === null ? { type: 'admitted', pid } : { type: 'notAdmitted', pid, problem });
  };

  const sayReady = (): void => {
    if (!channel.read()) {
      // What it does after that is its own affair: it is not admitted, and ends with the worker.
      send({ type: 'listensToo', pid });
      return;
    }
    send({ type: 'ready', pid });
    // While the master reads it: what is called for the first time is compiled.
    tracking();
    // Should somebody send it to everybody, as systemd does by default.
    listenForTermination();
    freeSignals = (['SIGHUP', 'SIGUSR2'] as const).filter(
      (signal) => signals.listenerCount(signal) > 0 || !isCaught(signal),
    );
  };

  const catchUp = (): void => {
    try {
      serving().catchUp();
      keepCode?.();
    } catch (error) {
      // The application may have changed what everything is made of. It serves, and nobody else does any more.
      complain(`cannot take connections from other workers: ${String(error)}`);
    }
  };

  const [first] = listeners;
  const healthGate =
    health === null || first === undefined
      ? null
      : openBundle('health')().createHealthGate({
          order: health,
          port: first.port,
          inContextOf,
          notReadyYet: (reason) => {
            send({ type: 'notReadyYet', pid, reason });
          },
          passed: sayReady,
        });

  const readiness = createReadiness(
    [...new Set(listeners.map(({ name, standsFor }) => standsFor ?? name))],
    () => {
      if (healthGate === null) sayReady();
      else healthGate.begin();
    },
  );

  const bindings = createListenerBindings({
    listeners,
    requestCopy: (name, request) => {
      if (channel.read()) send({ type: 'listenerWanted', pid, name, request });
    },
    listening: (name) => {
      channel.read();
      // For a turn: another listen of the same turn may have failed, and end the process.
      setImmediate(readiness.delay());
      readiness.listening(name);
    },
    released: (name) => {
      readiness.released(name);
    },
    report: (type, address) => {
      // By which a command of a package, such as tsx, talks to what it starts: each process has one of its own.
      if (passing.isCommand && type === 'undeclaredListen' && address.startsWith('/')) return;
      send({ type, pid, address });
    },
    requestAddress: (name, wanted) => {
      // It listens, and the answer comes before it can be ready.
      if (channel.read()) send({ type: 'addressWanted', pid, name, ...wanted });
      // The one that reads would get the answer. This one is never admitted, so it can listen on what is there.
      else
        setImmediate(() => {
          bindings.addressAnswered({ type: 'addressRefused', name, isShared: true, ...wanted }, null);
        });
    },
    queueAccepted: (name) => {
      send({ type: 'listenerEmptied', pid, name });
    },
    delayReadiness: () => readiness.delay(),
  });

  const listenForTermination = (): void => {
    signals.hold('SIGTERM', () => {
      serving().terminated();
      return signals.isMeant('SIGTERM') ? 'passOn' : 'take';
    });
  };

  /** From the first connection on, a signal that would end this worker makes it drain, unless the application listens for it. */
  const drainAtSignals = (): void => {
    for (const signal of ['SIGINT', ...freeSignals] as const) {
      signals.hold(signal, () => {
        if (signals.isMeant(signal)) return 'passOn';
        serving().drain(signal);
        return 'take';
      });
    }
  };

  const close = serverMethod('close');
  /** Servers that accept nothing before the worker is admitted. */
  const heldBack = new Set<net.Server>();
  let tracked: Tracking | null = null;
  let made: Serving | null = null;

  function tracking(): Tracking {
    if (tracked !== null) return tracked;
    tracked = createTracking(close);
    for (const server of heldBack) tracked.connections.track(server);
    heldBack.clear();
    return tracked;
  }

  function serving(): Serving {
    return (made ??= servingBundle().createServing({
      ...tracking(),
      drainTimeoutMs,
      bindings,
      application,
      send: (message) => channel.send(message),
      hasMaster: () => channel.isOpen(),
      begun: () => {
        healthGate?.stop();
        listenForTermination();
      },
      signals,
    }));
  }

  beforeBareBind((host, port) => {
    if (!bindings.isDeclared(host, port)) return;
    const how = 'leave cluster.schedulingPolicy at its default, SCHED_RR';
    complain(
      `cannot share ${writeAddress(host, port)} among the processes of a cluster (${heldByMaster}): ${how}`,
    );
  });
  const outcomes = createListenOutcomes();
  hearServers((server, event, first) => {
    outcomes.heard(server, event);
    if (tracked !== null) tracked.connections.heard(server, event, first);
    else if (event === 'close') heldBack.delete(server);
  });
  patchServers({
    place: (call) => {
      const placement = bindings.place(call);
      if (placement.kind !== 'passThrough') {
        passing.end();
        acceptConnections();
        // The server may have to wait for what the master sends.
        channel.read();
      }
      return placement;
    },
    track: (server, isHeldBack) => {
      if (tracked === null && isHeldBack) heldBack.add(server);
      else tracking().connections.track(server);
      healthGate?.track(server);
    },
    outside: (server) => {
      // A second port of the application, which the old generation may hold: a worker that dies of it was never ready.
      outcomes.whenEnded(server, readiness.delay());
    },
    takeQuietlyClosed: (server) => tracked?.connections.takeQuietlyClosed(server) ?? false,
  });
  // An application that ends itself at SIGQUIT would cut what the drain is there to finish: it has its turn at the end.
  signals.hold('SIGQUIT', () => {
    // Where the worker is another process, the signal is for that one.
    if (!passing.isPassedOn()) serving().drain('SIGQUIT');
    return 'take';
  });
  // Where it is to be ready without listening. (Otherwise nothing of ours is pending in the application's first turn.)
  if (listeners.length === 0)
    setImmediate(() => {
      readiness.loaded();
    });

  return {
    version: runtimeVersion,
    isManaged: true,
    generation,
    signal: () => application.signal(),
    onDrain: (hook, when) => {
      application.hooks.add(hook, when);
    },
    choose: (mode) => readiness.choose(mode),
    ready: () => {
      readiness.say();
    },
    migrate: (socket, gift) => serving().give(socket, gift),
    onAdopt: (name, handler) => {
      application.onAdopt(name, handler);
    },
    requestReload: () => {
      if (!channel.isOpen()) return false;
      send({ type: 'reloadWanted', pid });
      return true;
    },
  };
}
