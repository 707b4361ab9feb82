/**
 * Starts a worker under a master: opens the channel, places servers on the declared listeners and tells the master when the worker is
 * ready. What happens after admission is in after-admission.ts.
 */
import { declaredName, heldByMaster, type WorkerMessage } from '../../shared/protocol.ts';
import { createApplication } from '../api/application.ts';
import { runtimeVersion, type Runtime } from '../api/runtime.ts';
import { createChannelLock } from '../channel/channel-lock.ts';
import { openChannel, type ChannelEvents } from '../channel/channel.ts';
import { adoptionPauseMs } from '../drain/takeover-pause.ts';
import type { PassOn } from '../launcher/pass-on.ts';
import { writeAddress } from '../listen/addresses.ts';
import { patchServers } from '../listen/intercept-listen.ts';
import { createListenerBindings } from '../listen/listener-bindings.ts';
import { createReadiness } from '../listen/worker-readiness.ts';
import { refuseConnections } from '../listen/refuse-connections.ts';
import { whenExitBegins } from '../node-internals/exit-begins.ts';
import { beforeBareBind, isRawHandle } from '../node-internals/listening-handle.ts';
import { rawHandleOf } from '../node-internals/raw-handle.ts';
import { inContextOf } from '../node-internals/server-contexts.ts';
import { createSignals } from '../process/signals.ts';
import { complain, surviveBrokenPipes } from '../process/standard-streams.ts';
import type { AfterAdmission } from './after-admission.ts';
import { openBundle } from './bundle.ts';
import { catchDrainSignals } from './catch-drain-signals.ts';
import type { Settings } from './environment.ts';
import { watchServers } from './watch-servers.ts';

// The timer function as it was before the application was loaded, which may replace it.
const { setTimeout } = globalThis;

/**
 * Starts the worker and returns what its API calls. `separateChannel`: the descriptor of the channel to the master, or null if that is
 * `process.channel`. `keepCode` stores V8's code of this file for the next worker; null if it is stored already.
 */
export function startManaged(
  settings: Settings,
  passing: PassOn,
  separateChannel: number | null,
  keepCode: (() => void) | null,
): Runtime {
  const {
    generation,
    slot,
    listeners,
    drainTimeoutMs,
    rescueMs,
    masterPid,
    channelLock,
    maxRequests,
    health,
  } = settings;
  const { pid } = process;
  const afterAdmissionBundle = openBundle('after-admission');
  const application = createApplication();
  /** Handles that stay open until this process ends. The master notices its end when they close. */
  const lifelines: unknown[] = [];
  const signals = createSignals();
  // The master, which reads stdout and stderr, may end before this process.
  surviveBrokenPipes();
  const stopRefusing = refuseConnections(listeners);
  let isAdmitted = false;

  const send = (message: WorkerMessage): void => {
    void channel.send(message);
  };

  const channelEvents: ChannelEvents = {
    message(message, handle) {
      switch (message.type) {
        case 'admit':
          isAdmitted = true;
          drainSignals.admitted();
          bindings.admit((problem) => {
            send(problem === null ? { type: 'admitted', pid } : { type: 'notAdmitted', pid, problem });
          });
          // Delayed, because it takes some milliseconds, and the first clients are waiting.
          setTimeout(startAdopting, adoptionPauseMs(drainTimeoutMs)).unref();
          break;
        case 'checkHealth':
          checkHealth((problem) => {
            send({ type: 'health', pid, problem });
          });
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
        case 'destination':
        case 'source':
        case 'report':
        case 'ping':
        case 'hangLocator':
          afterAdmission().receive(message, handle);
      }
    },
    gone() {
      // If another process is the worker, that one drains, and this one ends after it.
      if (!passing.isPassedOn()) afterAdmission().masterGone();
    },
  };
  whenExitBegins((code) => {
    send({ type: 'exits', pid, code });
  });
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

  const sayReady = (): void => {
    if (!channel.read()) {
      // Another process of this worker reads the channel, so this one is never admitted. It ends with the worker.
      send({ type: 'listensToo', pid });
      return;
    }
    send({ type: 'ready', pid });
    // Creates the counters while the master reads the message, because calling functions for the first time compiles them.
    servers.tracking();
    drainSignals.ready();
  };

  const startAdopting = (): void => {
    try {
      afterAdmission().startAdopting();
      keepCode?.();
    } catch (error) {
      // The application may have changed a built-in that this needs. The worker keeps running, because the old generation no longer serves.
      complain(`cannot take connections from other workers: ${String(error)}`);
    }
  };

  const files = listeners.flatMap((one) =>
    one.type === 'unix' && !one.path.startsWith('@') ? [one.path] : [],
  );
  if (files.length > 0) openBundle('keep-files')().keepFiles(files);

  // The health check is an HTTP request, so it needs a server that is not a UDP socket.
  const first = listeners.find(({ type }) => type !== 'udp');
  const healthGate =
    health === null || first === undefined
      ? null
      : openBundle('health')().createHealthGate({
          order: health,
          port: first.type === 'tcp' ? first.port : 0,
          listensOnIt: (server) => {
            const name = bindings.nameOf(rawHandleOf(server));
            return listeners.some((one) => one.name === name && declaredName(one) === declaredName(first));
          },
          inContextOf,
          notReadyYet: (reason) => {
            send({ type: 'notReadyYet', pid, reason });
          },
          passed: sayReady,
        });

  function checkHealth(then: (problem: string | null) => void): void {
    if (healthGate === null) then(null);
    else healthGate.check(then);
  }

  const readiness = createReadiness([...new Set(listeners.map(declaredName))], () => {
    if (healthGate === null) sayReady();
    else healthGate.begin();
  });

  const hasSiblings = listeners.some(({ standsFor }) => standsFor !== undefined);
  /** Called when a server or a socket of this process gets a declared listener: this process is the worker. */
  const placed = (): void => {
    passing.end();
    stopRefusing();
    // The server may wait for something that the master sends.
    channel.read();
  };

  const listening = (name: string): void => {
    channel.read();
    // Delays readiness for a turn, because another listen of the same turn may have failed and end the process.
    setImmediate(readiness.delay());
    readiness.listening(name);
  };

  const bindings = createListenerBindings({
    listeners,
    createSiblings: hasSiblings ? openBundle('sibling-listeners')().createSiblingListeners : null,
    requestCopy: (name, request) => {
      if (channel.read()) send({ type: 'listenerWanted', pid, name, request });
    },
    listening,
    released: readiness.released,
    openDatagrams: (own) =>
      openBundle('datagrams')().interceptDatagrams({
        ...own,
        placed,
        listening,
        released: readiness.released,
      }),
    report: (type, address) => {
      // Commands of packages, such as tsx, listen on a UNIX socket to talk to what they start: each process has one of its own.
      if (passing.isCommand && type === 'undeclaredListen' && address.startsWith('/')) return;
      send({ type, pid, address });
    },
    requestAddress: (name, wanted) => {
      // The server listens already, and the answer arrives before the worker can be ready.
      if (channel.read()) send({ type: 'addressWanted', pid, name, ...wanted });
      // Otherwise another process reads the channel, and would get the answer. This one is never admitted, so it can listen on the shared listener.
      else
        setImmediate(() => {
          bindings.addressAnswered({ type: 'addressRefused', name, isShared: true, ...wanted }, null);
        });
    },
    queueAccepted: (name) => {
      send({ type: 'listenerEmptied', pid, name });
    },
    delayReadiness: readiness.delay,
  });

  const drainSignals = catchDrainSignals({
    signals,
    isPassedOn: passing.isPassedOn,
    drain: (signal) => {
      afterAdmission().drain(signal);
    },
    terminated: () => {
      afterAdmission().terminated();
    },
  });

  const servers = watchServers(
    maxRequests === null
      ? null
      : {
          requests: maxRequests,
          reached: (served) => {
            send({ type: 'servedEnough', pid, served });
          },
        },
  );
  let made: AfterAdmission | null = null;

  function afterAdmission(): AfterAdmission {
    return (made ??= afterAdmissionBundle().createAfterAdmission({
      tracking: servers.tracking(),
      slot,
      drainTimeoutMs,
      rescueMs: () => (isAdmitted ? rescueMs : 0),
      bindings,
      application,
      send: (message) => channel.send(message),
      hasMaster: () => channel.isOpen(),
      begun: () => {
        healthGate?.stop();
        drainSignals.catchTermination();
      },
      signals,
      openHangLocator: () => openBundle('hang-locator')(),
    }));
  }

  beforeBareBind((host, port) => {
    if (!bindings.isDeclared(host, port)) return;
    const how = 'leave cluster.schedulingPolicy at its default, SCHED_RR';
    complain(
      `cannot share ${writeAddress(host, port)} among the processes of a cluster (${heldByMaster}): ${how}`,
    );
  });
  patchServers({
    place: (call) => {
      const placement = bindings.place(call);
      if (placement.kind !== 'passThrough') placed();
      return placement;
    },
    track: (server, isHeldBack) => {
      servers.track(server, isHeldBack);
      healthGate?.track(server);
    },
    outside: (server) => {
      // The old generation may hold this second port. A worker that exits because of that must not have been ready.
      servers.whenListenEnds(server, readiness.delay());
    },
    takeQuietlyClosed: servers.takeQuietlyClosed,
  });
  // A worker without listeners is ready without listening. (With listeners, nothing of graceful-run may be pending in the application's first turn.)
  if (listeners.length === 0) setImmediate(readiness.loaded);

  return {
    version: runtimeVersion,
    isManaged: true,
    generation,
    signal: application.signal,
    onDrain: application.hooks.add,
    choose: readiness.choose,
    ready: readiness.say,
    migrate: (socket, request) => afterAdmission().migrate(socket, request),
    onAdopt: application.onAdopt,
    requestReload: () => {
      if (!channel.isOpen()) return false;
      send({ type: 'reloadWanted', pid });
      return true;
    },
  };
}
