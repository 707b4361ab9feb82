/** A platform whose workers are no processes: they are ready at once and do what they are told, so that a test can run thousands. */
import { setImmediate } from 'node:timers';
import { systemClock } from '../../src/shared/clock.ts';
import { longestTimerMs } from '../../src/shared/durations.ts';
import { wrap, type MasterMessage, type WorkerMessage } from '../../src/shared/protocol.ts';
import type {
  Platform,
  ProcessListeners,
  SpawnRequest,
  WorkerProcess,
} from '../../src/master/process/platform.ts';

export interface FakeWorker {
  readonly pid: number;
  readonly request: SpawnRequest;
  hasEnded: boolean;
}

/** `workers` grows with every start. One with FAILS in its environment ends before it is ready. */
export function createFakePlatform(): { readonly platform: Platform; readonly workers: FakeWorker[] } {
  const workers: FakeWorker[] = [];
  let lastPid = 10_000_000;

  function spawn(request: SpawnRequest, listeners: ProcessListeners): WorkerProcess {
    const pid = ++lastPid;
    const worker: FakeWorker = { pid, request, hasEnded: false };
    workers.push(worker);
    const say = (message: WorkerMessage): void => {
      setImmediate(() => {
        if (!worker.hasEnded) listeners.message(wrap(message));
      });
    };
    const end = (code = 0): void => {
      setImmediate(() => {
        if (worker.hasEnded) return;
        worker.hasEnded = true;
        listeners.exit({ code, signal: null });
      });
    };
    const hear: { readonly [Type in MasterMessage['type']]?: () => void } = {
      admit: () => {
        say({ type: 'admitted', pid });
      },
      confirmPause: () => {
        say({ type: 'paused', pid });
        say({ type: 'acceptsNoMore', pid });
      },
      drain: () => {
        say({ type: 'acceptsNoMore', pid });
        say({ type: 'drained', pid, served: 0, migrated: 0, cut: 0 });
        end();
      },
    };
    if (request.environment['FAILS'] === undefined) say({ type: 'ready', pid });
    else end(1);
    return {
      pid,
      send(message, _handle, sent) {
        hear[message.type]?.();
        sent?.();
      },
      noteServing: () => undefined,
      noteTold: () => undefined,
      endWatchers: () => undefined,
      holdOutput: () => undefined,
      suspendOutput: () => undefined,
      isBusy: () => false,
      descriptors: () => ({ channel: null, stdout: null, stderr: null, newline: null, process: null }),
      killTree: () => {
        end();
      },
    };
  }

  const platform: Platform = {
    clock: systemClock,
    prepareToAdopt: () => Promise.resolve(),
    spawn,
    inherit: () => {
      throw new Error('no fake worker outlives its master');
    },
    inheritNotifySocket: () => ({ fd: null, close: () => undefined }),
    inheritAfterMaster: () => undefined,
    leftStreams: () => [],
    inheritLeftStream: () => undefined,
    introduce: () => null,
    watchListener: () => () => undefined,
    killLeftovers: () => [],
    afterMasterFd: () => null,
    openNotifySocket: () => ({ fd: null, close: () => undefined }),
    makeBlocking: () => undefined,
    makeNonBlocking: () => undefined,
    inodeOf: () => null,
    listenerUse: () => 'other',
    isShut: () => false,
    listenAgain: () => null,
    findStrays: () => [],
    probe: () => ({ outcome: Promise.resolve(null), cancel: () => undefined }),
    findNode: () => false,
    findServing: (worker) => worker,
    isShell: () => false,
    residentBytes: (workers) => workers.map(() => 0),
    watchProcess: () => () => undefined,
    signalProcess: () => undefined,
    signalGroup: () => undefined,
    killTree: () => undefined,
    belongsToWorker: () => true,
    findByOwnPid: (pid) => pid,
    findWithoutPreload: () => null,
    armWall: (at, callback) => {
      // No test lasts that long.
      const timer = setTimeout(callback, Math.min(Math.max(0, at - Date.now()), longestTimerMs));
      return () => {
        clearTimeout(timer);
      };
    },
    arm: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => {
        clearTimeout(timer);
      };
    },
  };
  return { platform, workers };
}
