/** The real platform: processes, signals and timers of this machine. */
import net from 'node:net';
import { systemClock } from '../../shared/clock.ts';
import { socketPair } from '../sockets/socket-pair.ts';
import { arm } from './arm-timer.ts';
import { armWall } from './arm-wall.ts';
import { findByOwnPid, belongsToWorker } from './process-tree.ts';
import type { Platform, WorkerProcess } from './platform.ts';
import { killTree } from './process-tree.ts';
import { residentBytes } from './resident-memory.ts';
import { sendSignal } from './send-signal.ts';
import { afterMaster, inheritLeftStream, spawnWorker, streamsLeft } from './spawn-worker.ts';
import type * as adoption from './adopted-process.ts';
import { listenerUse } from './listener-use.ts';
import { findStrays } from './find-strays.ts';
import { killLeftovers } from './find-members.ts';
import { findNodeServer, findServing, isShell } from './find-server.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { inodeOf, makeBlocking, makeNonBlocking } from '../system-calls/descriptor-calls.ts';
import { isShut, listenAgain } from '../system-calls/socket-calls.ts';
import { inheritWorker } from './inherited-child.ts';
import { openNotifySocket, readNotifySocket } from './notify-socket.ts';
import { startProbe } from './probes.ts';
import { watchEnd } from './watch-process-end.ts';
import { findWithoutPreload } from './without-preload.ts';

export const system: Platform = {
  clock: systemClock,
  prepareToAdopt,
  spawn: (request, listeners) =>
    request.pidFile == null || adopt === null
      ? spawnWorker(request, listeners)
      : adopt.adoptOrStart(request, listeners),
  inherit: (worker, listeners) =>
    worker.pidFile == null || adopt === null
      ? inheritWorker(worker, listeners)
      : adopt.inheritDaemon(worker, listeners),
  introduce,
  watchListener,
  makeBlocking,
  makeNonBlocking,
  inodeOf,
  listenerUse,
  isShut,
  listenAgain,
  findStrays,
  killLeftovers,
  afterMasterFd: () => afterMaster.fd(),
  inheritAfterMaster: (fd) => {
    afterMaster.inherit(fd);
  },
  leftStreams: streamsLeft,
  inheritLeftStream,
  openNotifySocket,
  inheritNotifySocket: readNotifySocket,
  probe: startProbe,
  findNode: findNodeServer,
  findServing,
  isShell,
  residentBytes,
  watchProcess,
  signalProcess: (pid, signal) => {
    sendSignal(pid, signal);
  },
  signalGroup: (pid, signal) => {
    sendSignal(-pid, signal);
  },
  killTree: (pid) => {
    killTree({ pids: [pid], sessions: [] });
  },
  belongsToWorker,
  findByOwnPid,
  findWithoutPreload,
  arm,
  armWall,
};

let adopt: typeof adoption | null = null;

async function prepareToAdopt(): Promise<void> {
  await loadSystemCalls();
  adopt ??= await import('./adopted-process.ts');
}

function introduce(source: WorkerProcess, destination: WorkerProcess, more: number): string | null {
  const pair = socketPair();
  if (typeof pair === 'string') return pair;
  const [sourceEnd, destinationEnd] = pair;
  destination.send({ type: 'source' }, destinationEnd, () => {
    destinationEnd.close();
  });
  source.send({ type: 'destination', more }, sourceEnd, () => {
    sourceEnd.close();
  });
  return null;
}

function watchProcess(pid: number, ended: () => void): () => void {
  let isWatched = true;
  let unwatch = (): void => undefined;
  void watchEnd(pid, () => {
    if (isWatched) ended();
  }).then((close) => {
    if (close === null) return;
    if (isWatched) unwatch = close;
    else close();
  });
  return () => {
    isWatched = false;
    unwatch();
  };
}

function watchListener(worker: WorkerProcess, gone: () => void): (() => void) | null {
  const pair = socketPair();
  if (typeof pair === 'string') return null;
  const [ours, theirs] = pair;
  let isWatched = true;
  // Proven dispatch: net.Socket takes a handle as libuv has it.
  const end = new net.Socket({ handle: ours } as net.SocketConstructorOpts);
  end.unref();
  end.on('error', () => undefined);
  end.on('close', () => {
    if (isWatched) gone();
  });
  end.resume();
  worker.send({ type: 'lifeline' }, theirs, () => {
    theirs.close();
  });
  return () => {
    isWatched = false;
    end.destroy();
  };
}
