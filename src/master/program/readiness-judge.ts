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
import { identity, type RunningWorker } from './running-worker.ts';
import type { Awaited } from './not-ready-failure.ts';
import { createNotifications } from './notifications.ts';
import { probeUntilSuccess, warmUp } from './repeated-probe.ts';
import { createServingProcess } from './serving-process.ts';
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

/** How long warm-up requests may take, as inside a Node.js worker. */
const longestWarmUpMs = 5_000;

/** The minimum pause before the processes of a worker are examined again. */
const lookAgainMs = 200;

/** Plans whose workers have themselves said that they are ready. For later workers of these, it is not enough to be alive. */
const speaking = new WeakSet<ProgramPlan>();

export function createReadinessJudge(parts: ReadinessParts): ReadinessJudge {
  const { platform, versions, dispatch } = parts;
  const servingProcess = createServingProcess(parts);
  const notifications = createNotifications({ ...parts, servingProcess });

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
      const isFound = servingProcess.choose(worker);
      ready(worker, { ...noCapabilities, isGated: worker.hasOwnQueue });
      if (!isFound) servingProcess.findLater(worker);
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

  function isServer(worker: RunningWorker): boolean {
    return planOf(worker).kind.type === 'server';
  }

  /** Makes attempts until one succeeds. */
  function look(
    worker: RunningWorker,
    attempt: () => StartedProbe,
    succeeded = (): void => {
      prove(worker);
    },
  ): void {
    probeUntilSuccess({
      platform,
      attempt,
      during: (cancel) => {
        during(worker, cancel);
      },
      ended: () => {
        worker.looking.length = 0;
      },
      failed: (problem) => {
        notReadyYet(worker, problem);
      },
      succeeded,
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
        warmUp({
          platform,
          attempt: () => ask('graceful-run (warm-up)'),
          during: (cancel) => {
            during(worker, cancel);
          },
          times: warmup,
          longestMs,
          done: () => {
            prove(worker);
          },
        });
      },
    );
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
      servingProcess.note(worker, worker.servingPid);
      if (worker.servingPid === worker.process.pid) servingProcess.findLater(worker);
    },
    notified,
    notReadyYet,
    gaveSign,
    findProgram(worker) {
      servingProcess.find(worker);
    },
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
    notifications.note(worker, said);
    if (said.isReady) gaveSign(worker, 'notifies');
    if (said.isStopping && worker.wasReady) dispatch({ type: 'workerSaidItDrains', worker: worker.id });
    parts.received?.(worker, said);
  }
}
