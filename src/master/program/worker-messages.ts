/**
 * Handles the messages of workers. Each becomes an input of the lifecycle, an event, or a listener that is sent. Every message is checked before anything
 * is done.
 */
import type { MasterEvent } from '../../shared/events.ts';
import type { OpenCounts, WorkerLoad, WorkerMessage } from '../../shared/protocol.ts';
import { nodeCapabilities, nodeDrainSignal } from '../launch/worker-kind.ts';
import type { ReadinessJudge } from './readiness-judge.ts';
import type { LifecycleInput, Undated } from './lifecycle/inputs.ts';
import { guardExit } from './exit-guard.ts';
import { lostFailure, notAdmittedFailure, restartedFailure } from './worker-failures.ts';
import { identity, failureContext, processOf, type RunningWorker } from './running-worker.ts';
import type { Versions } from './versions.ts';
import type { Platform } from '../process/platform.ts';
import { exitProgressOf } from '../process/exit-progress.ts';
import { sendListener, sendWantedListener } from '../process/send-listener.ts';
import { readWorkerMessage } from '../process/read-worker-message.ts';

export interface MessageHandlerParts {
  readonly platform: Pick<
    Platform,
    'belongsToWorker' | 'findByOwnPid' | 'watchListener' | 'arm' | 'signalProcess'
  >;
  readonly versions: Versions;
  readonly readiness: ReadinessJudge;
  readonly onEvent: (event: MasterEvent) => void;
  readonly dispatch: (event: Undated<LifecycleInput>) => void;
  /** Called if the brief pause of a worker was over before it was told to stay paused. */
  readonly pauseLapsed: (worker: RunningWorker) => void;
  /** Called when a worker's event loop turns. */
  readonly alive?: (worker: RunningWorker) => void;
  /** Called when a worker has reported what it has open. */
  readonly open: (worker: number, counts: OpenCounts, load: WorkerLoad | null) => void;
}

export interface MessageHandler {
  /** Called with a message from a worker's channel. */
  message(worker: RunningWorker, raw: unknown): void;
  /** Called when data has arrived on a worker's channel that is not a message. */
  garbage(worker: RunningWorker): void;
  /** Has to be called when a worker was taken over from the previous image of this process. */
  resumed(worker: RunningWorker): void;
}

/** How many rejected messages of one worker are announced. */
const maxRejections = 10;

/** How long a command may take to end, or to start its program again, after its program has ended. */
const commandPatienceMs = 500;

/** How many cut clean-ups of one worker are announced. A worker has one or two. */
const maxCleanUps = 5;

/** How many addresses are announced: undeclared ones of one worker, and those of the program that do not match its listener. */
const maxAddresses = 10;

type AddressWanted = Extract<WorkerMessage, { readonly type: 'addressWanted' }>;

export function createMessageHandler({
  platform,
  versions,
  readiness,
  onEvent,
  dispatch,
  pauseLapsed,
  alive,
  open,
}: MessageHandlerParts): MessageHandler {
  const wide = new Set<string>();
  const narrow = new Set<string>();

  async function fit(worker: RunningWorker, { name, host, isIPv6Only }: AddressWanted): Promise<void> {
    const fit = await versions.of(worker.generation).fitted.fit(name, { host, isIPv6Only });
    if ('bound' in fit) {
      const { address, backlog } = fit.bound;
      const bound = { name: fit.bound.name, ...address, backlog };
      sendListener(worker.process, { type: 'address', name, host, isIPv6Only, bound }, fit.bound);
      // Takes effect only in a worker that had no free descriptor for the listener.
      worker.process.send({ type: 'addressRefused', name, host, isIPv6Only, isShared: false });
    } else worker.process.send({ type: 'addressRefused', name, host, isIPv6Only, ...fit });
  }

  /** Whether an address has not been announced yet: every worker of every generation reports it again. */
  function isNew(known: Set<string>, address: string): boolean {
    if (known.has(address) || known.size >= maxAddresses) return false;
    known.add(address);
    return true;
  }

  /** Announces a rejected message, up to a number of times: a worker that sends nonsense without end must not fill the log. */
  function reject(worker: RunningWorker, problem: string): void {
    worker.rejected += 1;
    if (worker.rejected > maxRejections) return;
    onEvent({ event: 'messageRejected', ...identity(worker), problem });
  }

  /** Watches the process that listens, if it is not the one that was started: a shell may outlive it, and then nothing else tells that the program is gone. */
  function watch(worker: RunningWorker): void {
    worker.unwatch?.();
    const { servingPid } = worker;
    if (servingPid === worker.process.pid) return;
    const unwatch = platform.watchListener(worker.process, () => {
      // Mostly the command ends because its program has, and then that is reported.
      worker.unwatch = platform.arm(commandPatienceMs, () => {
        const failure = lostFailure(
          servingPid,
          failureContext(worker, versions.of(worker.generation).listeners),
        );
        dispatch({ type: 'workerLostProgram', worker: worker.id, failure });
      });
    });
    worker.unwatch = unwatch;
  }

  /** Notes that a process of the worker listens. Under `npm start` or a shell, it is not the process that was started. */
  function saidReady(worker: RunningWorker, pid: number, ownPid: number): void {
    const before = worker.servingPid;
    if (worker.ownPid === null || pid === before) {
      worker.servingPid = pid;
      worker.ownPid = ownPid;
      worker.process.noteServing(pid, nodeDrainSignal, null);
      watch(worker);
      readiness.saidReady(worker);
    } else if (platform.belongsToWorker(before, worker.process.pid)) {
      reject(
        worker,
        `process ${pid} listens as well, and process ${before} is the worker already: it is not admitted`,
      );
    } else {
      worker.servingPid = pid;
      worker.ownPid = ownPid;
      watch(worker);
      worker.process.noteServing(pid, nodeDrainSignal, null);
      const failure = restartedFailure(
        before,
        pid,
        failureContext(worker, versions.of(worker.generation).listeners),
      );
      const capabilities = nodeCapabilities(versions.of(worker.generation).plan.workerKind);
      dispatch({ type: 'workerRestartedItself', worker: worker.id, failure, capabilities });
    }
  }

  /** Notes that a Node.js process of the worker begins to exit: the worker itself, or a launcher such as npm. */
  function exits(worker: RunningWorker, ownPid: number, code: number): void {
    const pid = processOf(worker, ownPid, platform);
    if (pid === null) return;
    const isItself = pid === worker.process.pid;
    const unguard = guardExit(pid, { platform, progressOf: exitProgressOf }, (waitedMs) => {
      if (isItself) worker.hungExitCode = code;
      onEvent({ event: 'exitHung', ...identity(worker), process: pid, code, waitedMs });
    });
    worker.unguardExit.get(pid)?.();
    worker.unguardExit.set(pid, unguard);
  }

  function handle(worker: RunningWorker, message: WorkerMessage): void {
    if (isOnlyForTheWorker(message) && worker.ownPid !== null && message.pid !== worker.ownPid) return;
    switch (message.type) {
      case 'ready': {
        // The master will signal this pid, so it has to be one of the worker's processes.
        const pid = processOf(worker, message.pid, platform);
        if (pid === null) reject(worker, `pid ${message.pid} is not one of its processes`);
        else saidReady(worker, pid, message.pid);
        return;
      }
      case 'listensToo':
        reject(
          worker,
          `process ${message.pid} listens as well, and another process is the worker: it is not admitted`,
        );
        return;
      case 'admitted':
        dispatch({ type: 'workerAdmitted', worker: worker.id });
        return;
      case 'notAdmitted':
        dispatch({
          type: 'admissionFailed',
          worker: worker.id,
          failure: notAdmittedFailure(
            message.problem,
            failureContext(worker, versions.of(worker.generation).listeners),
          ),
        });
        return;
      case 'paused':
        onEvent({ event: 'workerAcceptsNoMore', ...identity(worker) });
        return;
      case 'pauseLapsed':
        pauseLapsed(worker);
        return;
      case 'notPaused':
        onEvent({ event: 'workerNotPaused', ...identity(worker), problem: message.problem });
        dispatch({ type: 'workerCannotPause', worker: worker.id });
        return;
      case 'adopts':
        dispatch({ type: 'workerTakesConnections', worker: worker.id });
        return;
      case 'notReadyYet':
        if (worker.wasReady) return;
        if (worker.notReadyYet === message.reason) return;
        worker.notReadyYet = message.reason;
        onEvent({ event: 'workerNotReadyYet', ...identity(worker), reason: message.reason });
        return;
      case 'undeclaredListen':
        if (worker.undeclared.includes(message.address) || worker.undeclared.length >= maxAddresses) return;
        worker.undeclared.push(message.address);
        onEvent({ event: 'undeclaredListen', ...identity(worker), address: message.address });
        return;
      case 'wideListen':
        if (isNew(wide, message.address))
          onEvent({ event: 'wideListen', ...identity(worker), address: message.address });
        return;
      case 'narrowListen':
        if (isNew(narrow, message.address))
          onEvent({ event: 'narrowListen', ...identity(worker), address: message.address });
        return;
      case 'addressWanted':
        void fit(worker, message);
        return;
      case 'listenerEmptied':
        versions.of(worker.generation).fitted.emptied(message.name);
        return;
      case 'listenerWanted': {
        const listener = versions.listenersOf(worker).find(({ name }) => name === message.name);
        if (listener !== undefined) sendWantedListener(worker.process, listener, message.request);
        return;
      }
      case 'reloadWanted':
        dispatch({ type: 'reloadRequested', cause: 'worker' });
        return;
      case 'acceptsNoMore':
        onEvent({ event: 'workerAcceptsNoMore', ...identity(worker) });
        return;
      case 'drains':
        dispatch({ type: 'workerSaidItDrains', worker: worker.id });
        return;
      case 'alive':
        worker.hasHeartbeat = true;
        alive?.(worker);
        return;
      case 'servedEnough': {
        const bound = versions.of(worker.generation).plan.replacement.maxRequests;
        if (bound === null) return;
        const cause = { reason: 'maxRequests', figure: message.served, bound } as const;
        dispatch({ type: 'replacementWanted', id: worker.id, cause });
        return;
      }
      case 'exits':
        exits(worker, message.pid, message.code);
        return;
      case 'cleanUpCut':
        worker.cleanUpsCut += 1;
        if (worker.cleanUpsCut > maxCleanUps) return;
        onEvent({ event: 'workerCleanUpCut', ...identity(worker), what: message.what });
        return;
      case 'health':
        worker.health = { problem: message.problem };
        return;
      case 'open':
        open(worker.id, message, message.load ?? null);
        return;
      case 'drained':
        worker.report = {
          served: message.served,
          migrated: message.migrated,
          drained: message.drained ?? null,
          cut: message.cut,
          serverErrors: message.serverErrors ?? 0,
        };
        return;
    }
  }

  return {
    message(worker, raw) {
      const received = readWorkerMessage(raw);
      switch (received.kind) {
        case 'foreign':
          // By the convention of pm2, this message means that the worker is ready.
          if (raw === 'ready') readiness.gaveSign(worker, 'sendsMessage');
          return;
        case 'broken':
          reject(worker, received.problem);
          return;
        case 'ours':
          handle(worker, received.message);
          return;
      }
    },
    garbage(worker) {
      reject(worker, 'not a message');
    },
    resumed(worker) {
      if (worker.ownPid === null) return;
      worker.process.noteServing(worker.servingPid, nodeDrainSignal, null);
      watch(worker);
    },
  };
}

/**
 * Whether the message tells the state of the worker. Another of its processes may send the same message, because a signal for the whole group has reached
 * it, too.
 */
function isOnlyForTheWorker({ type }: WorkerMessage): boolean {
  switch (type) {
    case 'admitted':
    case 'notAdmitted':
    case 'paused':
    case 'pauseLapsed':
    case 'notPaused':
    case 'adopts':
    case 'acceptsNoMore':
    case 'drains':
    case 'alive':
    case 'servedEnough':
    case 'cleanUpCut':
    case 'health':
    case 'open':
    case 'drained':
      return true;
    case 'ready':
    case 'listensToo':
    case 'notReadyYet':
    case 'undeclaredListen':
    case 'wideListen':
    case 'narrowListen':
    case 'listenerWanted':
    case 'addressWanted':
    case 'listenerEmptied':
    case 'reloadWanted':
    case 'exits':
      return false;
  }
}
