/**
 * Decides when a worker is ready, whatever it is. Its own Node.js process says so on the channel once it listens, and is gated then. Any other program has
 * to show it: it notifies, or what `--ready` names succeeds, or it is alive for a while.
 *
 * A command does not tell what it starts. So no worker counts as another program while one of its processes is a Node.js that has inherited the listener
 * and may still say ready; and one that says so later is gated from then on.
 */
import { askOwnSocket, type UserAgent } from './ask-own-socket.ts';
import { nodeCapabilities, needsSign, type Readiness } from '../launch/worker-kind.ts';
import type { ProgramPlan } from '../config/plan.ts';
import type { MasterEvent } from '../../shared/events.ts';
import type { Platform, SpawnRequest, StartedProbe } from '../process/platform.ts';
import type { LifecycleInput, Undated } from './lifecycle/inputs.ts';
import { noCapabilities } from './lifecycle/state.ts';
import { type Notification, parseNotification } from '../process/notify-message.ts';
import { failureContext, identity, processOf, type RunningWorker } from './running-worker.ts';
import type { Awaited } from './not-ready-failure.ts';
import { lostFailure } from './worker-failures.ts';
import type { Versions } from './versions.ts';

export interface ReadinessParts {
  readonly platform: Pick<
    Platform,
    | 'arm'
    | 'clock'
    | 'belongsToWorker'
    | 'findByOwnPid'
    | 'probe'
    | 'findNode'
    | 'findServing'
    | 'isShell'
    | 'signalProcess'
    | 'watchProcess'
  >;
  readonly versions: Versions;
  readonly dispatch: (input: Undated<LifecycleInput>) => void;
  readonly onEvent: (event: MasterEvent) => void;
  /** Called with each notification of a worker. */
  readonly received?: (worker: RunningWorker, said: Notification) => void;
}

/** A sign by which a program itself can show that it is ready. */
type Sign = 'sendsMessage' | 'notifies' | 'writesNewline';

/** What is to be known of the start of a worker. */
export type Started = Pick<SpawnRequest, 'isNode' | 'cwd' | 'probe'>;

export interface ReadinessJudge {
  /** Called when the worker's process was started. */
  begin(worker: RunningWorker, started: Started): void;
  /** Called when the worker's own Node.js process has said ready on the channel. */
  saidReady(worker: RunningWorker): void;
  /** Called when the worker has given the sign that `--ready` names: a message, a notification or a newline. */
  gaveSign(worker: RunningWorker, sign: Sign): void;
  /** Notes why a worker is not ready yet. The same reason again changes nothing. */
  notReadyYet(worker: RunningWorker, reason: string): void;
  /** Called when the worker has sent a datagram to its NOTIFY_SOCKET. */
  notified(worker: RunningWorker, bytes: Uint8Array): void;
  /** Looks once more for the program that a script may have started after it was ready: that program is to be told to drain or to end. */
  findProgram(worker: RunningWorker): void;
  /** Has to be called when a worker was taken over from the previous image of this process. */
  resumed(worker: RunningWorker): void;
  /** What is still awaited of a worker that is not ready. */
  awaited(worker: RunningWorker): Awaited;
  /** Called when the worker has ended, or is to end: nothing more is awaited. A second call does nothing. */
  end(worker: RunningWorker): void;
}

/** The pause before a probe that has failed is repeated. */
const retryMs = 200;

/** How long warm-up requests may take, as inside a Node.js worker. */
const longestWarmUpMs = 5_000;

/** The minimum pause before the processes of a worker are examined again. */
const lookAgainMs = 200;

/** The longest pause between two searches for a program that a script has not started yet. After it, there are no more searches. */
const longestLookMs = 30_000;

/** How long a command may take to end after the program that it has started has ended. */
const commandPatienceMs = 500;

/** How many searches in a row may find nothing before the program counts as lost. */
const patiences = 2;

/** How many refusals of messages of one worker are announced. */
const maxRejections = 10;

/** Plans whose workers have themselves said that they are ready. For later workers of these, it is not enough to be alive. */
const speaking = new WeakSet<ProgramPlan>();

export function createReadinessJudge(parts: ReadinessParts): ReadinessJudge {
  const { platform, versions, dispatch } = parts;

  function planOf({ generation }: RunningWorker): ProgramPlan {
    return versions.of(generation).plan;
  }

  /** Notes how to cancel something that runs while the worker starts. */
  function during(worker: RunningWorker, cancel: () => void): void {
    worker.looking.push(cancel);
  }

  function stopLooking(worker: RunningWorker): void {
    for (const cancel of worker.looking.splice(0)) cancel();
  }

  function countAlive(worker: RunningWorker): void {
    const { kind, startsMs } = planOf(worker);
    // A program without listeners may have done its work before a timer fires. A server is not to be judged before its command has been executed.
    if (kind.type !== 'server' && startsMs === 0) prove(worker);
    else
      during(
        worker,
        platform.arm(startsMs, () => {
          prove(worker);
        }),
      );
  }

  function prove(worker: RunningWorker): void {
    worker.isProven = true;
    decide(worker);
  }

  function decide(worker: RunningWorker): void {
    const { workerKind: kind } = planOf(worker);
    if (worker.ownPid !== null) {
      if (worker.isProven || !needsSign(kind.readiness)) ready(worker, nodeCapabilities(kind));
    } else if (worker.isProven && !waitsForNode(worker)) {
      // The process that a pid file names is known.
      const serving =
        worker.process.signal === undefined
          ? (worker.mainPid ?? platform.findServing(worker.process.pid))
          : worker.process.pid;
      serveFrom(worker, serving ?? worker.process.pid);
      ready(worker, { ...noCapabilities, isGated: worker.hasOwnQueue });
      if (serving === null && isServer(worker)) findLater(worker, lookAgainMs);
    }
  }

  function ready(worker: RunningWorker, capabilities: typeof noCapabilities): void {
    stopLooking(worker);
    worker.wasReady = true;
    dispatch({ type: 'workerSaidReady', worker: worker.id, capabilities });
  }

  /** Whether the worker has a Node.js process that may be the server, and say so; or a tool that a script runs before the server. Looks again later if so. */
  function waitsForNode(worker: RunningWorker): boolean {
    const { plan } = versions.of(worker.generation);
    // Without an address, none of its processes could say so.
    if (!isServer(worker)) return false;
    const hasNode = findNode(worker);
    // The program that follows the tool has to run as long as any other program does.
    const wasJustThere = worker.hadNode && plan.workerKind.readiness.when === 'auto' && !worker.hasNotified;
    worker.hadNode = hasNode;
    if (!hasNode && !wasJustThere) return false;
    during(
      worker,
      platform.arm(Math.max(plan.startsMs, lookAgainMs), () => {
        decide(worker);
      }),
    );
    return true;
  }

  function findNode(worker: RunningWorker): boolean {
    return platform.findNode(
      worker.process.pid,
      versions.listenersOf(worker).map(({ fd }) => fd),
    );
  }

  function awaited(worker: RunningWorker): Awaited {
    const plan = planOf(worker);
    return {
      readiness: plan.workerKind.readiness,
      startsMs: plan.startsMs,
      isNode: isServer(worker) && (worker.isNode || worker.ownPid !== null || findNode(worker)),
      listens: worker.ownPid !== null,
      hasOwnSocket: worker.hasOwnQueue,
      gaveSign: worker.isProven,
      hasNotified: worker.hasNotified,
      reportsItself: speaking.has(plan),
    };
  }

  /** Notes which process serves. Under a shell, it is not the process that was started. A script may run several, one after the other. */
  function serveFrom(worker: RunningWorker, pid: number): void {
    worker.unwatch?.();
    worker.unwatch = null;
    worker.servingPid = pid;
    worker.process.noteServing(
      pid,
      worker.drainSignal,
      worker.toldBy === null ? orphanedMs(planOf(worker)) : null,
    );
    if (pid === worker.process.pid) return;
    worker.unwatch = platform.watchProcess(pid, () => {
      if (worker.toldBy === null || isServer(worker)) findNext(worker, pid, patiences);
      else endScript(worker, worker.toldBy);
    });
  }

  /** How long the program works on if this process is killed. A job may finish. A second worker without an address might do the same work twice. */
  function orphanedMs({ kind, rescueMs, drainTimeoutMs }: ProgramPlan): number {
    if (kind.type === 'server') return rescueMs;
    return kind.type === 'worker' ? 0 : drainTimeoutMs;
  }

  /** Looks for the program later: a script may prepare something, without another process, for longer than it has to run to count as ready. */
  function findLater(worker: RunningWorker, afterMs: number): void {
    worker.unwatch = platform.arm(afterMs, () => {
      findProgram(worker);
      if (worker.servingPid === worker.process.pid && afterMs < longestLookMs) findLater(worker, afterMs * 2);
    });
  }

  function findProgram(worker: RunningWorker): void {
    const { pid } = worker.process;
    if (!worker.wasReady || worker.ownPid !== null) return;
    const known = worker.servingPid;
    // A worker that has named its process by MAINPID knows better.
    if (worker.mainPid !== null && platform.belongsToWorker(known, pid)) return;
    // The process that was found may have been a tool or a helper of a script, which has executed the server since.
    const serving = platform.findServing(pid, known);
    if (serving !== null && serving !== known) serveFrom(worker, serving);
  }

  /**
   * Tells a script to end after its present job was told to, and has ended. A script that runs one job after the other continues until it gets the signal
   * itself.
   */
  function endScript(worker: RunningWorker, signal: NodeJS.Signals): void {
    const { pid } = worker.process;
    if (!platform.isShell(pid)) return;
    platform.signalProcess(pid, signal);
    // A trap of the script runs only when the job has ended that the script has begun in the meantime.
    serveFrom(worker, pid);
    findProgram(worker);
    if (worker.servingPid !== pid) platform.signalProcess(worker.servingPid, signal);
  }

  function isServer(worker: RunningWorker): boolean {
    return planOf(worker).kind.type === 'server';
  }

  /**
   * Looks for the next program after a while. Mostly the command ends because its program has, and then that is reported. A script may be between two of
   * its commands.
   */
  function findNext(worker: RunningWorker, before: number, left: number): void {
    worker.unwatch = platform.arm(commandPatienceMs, () => {
      const next = platform.findServing(worker.process.pid);
      if (next !== null) serveFrom(worker, next);
      else if (left > 1) findNext(worker, before, left - 1);
      else lose(worker, before);
    });
  }

  /** Handles a command that keeps running without a program. Nothing tells when it starts another one, so this counts as the end of the program. */
  function lose(worker: RunningWorker, pid: number): void {
    // A program without an address may do one job after the other: only the life of the command counts.
    if (!isServer(worker)) {
      serveFrom(worker, worker.process.pid);
      return;
    }
    const failure = lostFailure(pid, failureContext(worker, versions.of(worker.generation).listeners));
    dispatch({ type: 'workerLostProgram', worker: worker.id, failure });
    dispatch({ type: 'workerNotReady', worker: worker.id, failure, mayAccept: false });
  }

  /** Makes attempts until one succeeds. */
  function look(
    worker: RunningWorker,
    attempt: () => StartedProbe,
    succeeded = (): void => {
      prove(worker);
    },
  ): void {
    const { outcome, cancel } = attempt();
    let isOver = false;
    during(worker, () => {
      isOver = true;
      cancel();
    });
    void outcome.then((problem) => {
      if (isOver) return;
      worker.looking.length = 0;
      if (problem === null) {
        succeeded();
        return;
      }
      notReadyYet(worker, problem);
      during(
        worker,
        platform.arm(retryMs, () => {
          look(worker, attempt, succeeded);
        }),
      );
    });
  }

  function askUntilReady(
    worker: RunningWorker,
    { path, warmup }: Extract<Readiness, { when: 'answers' }>,
  ): void {
    const dueAt = platform.clock.monotonicMs() + planOf(worker).readyTimeoutMs;
    const ask = (userAgent: UserAgent): StartedProbe =>
      // If a shell has started Node.js, the preload of that Node.js process requests the path itself, and reports the result.
      findNode(worker)
        ? {
            outcome: Promise.resolve(
              worker.notReadyYet ?? 'its Node.js process has not reported that it is ready',
            ),
            cancel: () => undefined,
          }
        : askOwnSocket(platform, versions, worker, path, userAgent);
    look(
      worker,
      () => ask('graceful-run (health check)'),
      () => {
        const leftMs = dueAt - platform.clock.monotonicMs();
        const longestMs = Math.max(0, Math.min(longestWarmUpMs, leftMs / 2));
        warmUp(worker, () => ask('graceful-run (warm-up)'), warmup, longestMs);
      },
    );
  }

  /** Makes as many more attempts, one after the other, whatever comes of them; but not for longer than `longestMs`. */
  function warmUp(
    worker: RunningWorker,
    attempt: () => StartedProbe,
    times: number,
    longestMs: number,
  ): void {
    let current: StartedProbe | null = null;
    let isOver = times === 0;
    const end = (): void => {
      isOver = true;
      current?.cancel();
    };
    const next = (left: number): void => {
      current = attempt();
      void current.outcome.then(() => {
        if (isOver) return;
        if (left > 1) next(left - 1);
        else prove(worker);
      });
    };
    if (isOver) {
      prove(worker);
      return;
    }
    during(worker, end);
    during(
      worker,
      platform.arm(longestMs, () => {
        end();
        prove(worker);
      }),
    );
    next(times);
  }

  function notReadyYet(worker: RunningWorker, reason: string): void {
    if (worker.wasReady || worker.notReadyYet === reason) return;
    worker.notReadyYet = reason;
    parts.onEvent({ event: 'workerNotReadyYet', ...identity(worker), reason });
  }

  return {
    begin(worker, { isNode, cwd, probe }) {
      const plan = planOf(worker);
      const { readiness } = plan.workerKind;
      switch (readiness.when) {
        case 'auto':
          if (!isNode && !speaking.has(plan)) countAlive(worker);
          return;
        case 'lives':
          during(
            worker,
            platform.arm(readiness.delayMs, () => {
              prove(worker);
            }),
          );
          return;
        case 'connects':
          look(worker, () => platform.probe({ kind: 'tcp', port: readiness.port }));
          return;
        case 'answersAt':
          look(worker, () => platform.probe({ kind: 'http', ...readiness, fromPort: null, userAgent: null }));
          return;
        case 'commandSucceeds':
          if (probe !== null)
            look(worker, () =>
              platform.probe({ kind: 'exec', command: readiness.command, start: probe, cwd }),
            );
          return;
        case 'answers':
          // The preload of a Node.js worker asks it inside its process.
          if (worker.hasOwnQueue) askUntilReady(worker, readiness);
          return;
        case 'listens':
        case 'sendsMessage':
        case 'notifies':
        case 'writesNewline':
          return;
      }
    },
    saidReady(worker) {
      speaking.add(planOf(worker));
      decide(worker);
    },
    resumed(worker) {
      if (worker.ownPid !== null || worker.hasNotified) speaking.add(planOf(worker));
      // The process that a pid file names is known, and watched.
      if (worker.ownPid !== null || !worker.wasReady || worker.process.signal !== undefined) return;
      serveFrom(worker, worker.servingPid);
      if (worker.servingPid === worker.process.pid && isServer(worker)) findLater(worker, lookAgainMs);
    },
    notified,
    notReadyYet,
    gaveSign,
    findProgram,
    awaited,
    end: stopLooking,
  };

  function gaveSign(worker: RunningWorker, sign: Sign): void {
    const plan = planOf(worker);
    const { when } = plan.workerKind.readiness;
    if (sign === 'notifies') speaking.add(plan);
    if (worker.isProven || (when !== sign && !(when === 'auto' && sign === 'notifies'))) return;
    prove(worker);
  }

  function notified(worker: RunningWorker, bytes: Uint8Array): void {
    const said = parseNotification(bytes);
    if (said === null) return;
    // A program that notifies has to say itself that it is ready: being alive is not enough.
    if (!worker.hasNotified && !worker.wasReady && planOf(worker).workerKind.readiness.when === 'auto') {
      worker.isProven = false;
      stopLooking(worker);
    }
    worker.hasNotified = true;
    if (said.isAlive) worker.feedsWatchdog = true;
    const { mainPid, extendMs } = said;
    // Each of the two may arrive in a datagram of its own.
    worker.said = { status: said.status ?? worker.said.status, errno: said.errno ?? worker.said.errno };
    if (said.watchdogMs !== null || said.isHung)
      worker.watchdog = { ms: said.watchdogMs ?? worker.watchdog?.ms ?? null, isHung: said.isHung };
    if (mainPid !== null) noteMainPid(worker, mainPid);
    if (extendMs !== null) dispatch({ type: 'workerNeedsTime', worker: worker.id, needsMs: extendMs });
    if (said.storesDescriptors && !worker.hasOfferedDescriptors) {
      worker.hasOfferedDescriptors = true;
      reject(worker, 'FDSTORE=1: graceful-run keeps no descriptors of a worker');
    }
    if (said.isReady) gaveSign(worker, 'notifies');
    if (said.isStopping && worker.wasReady) dispatch({ type: 'workerSaidItDrains', worker: worker.id });
    parts.received?.(worker, said);
  }

  function noteMainPid(worker: RunningWorker, ownPid: number): void {
    const pid = processOf(worker, ownPid, platform);
    if (pid === null) {
      if (worker.rejected < maxRejections) reject(worker, `MAINPID=${ownPid} is not one of its processes`);
      return;
    }
    worker.mainPid = pid;
    if (worker.wasReady && worker.ownPid === null && worker.servingPid !== pid) serveFrom(worker, pid);
  }

  function reject(worker: RunningWorker, problem: string): void {
    worker.rejected += 1;
    parts.onEvent({ event: 'messageRejected', ...identity(worker), problem });
  }
}
