/**
 * Starts one worker of a program as a reload would, waits until it is ready, and stops it without ever admitting it. The worker gets
 * sockets that are bound to free ports of the loopback address and announced with the addresses of the plan: its listen() finds them, and a
 * master that serves on these addresses is not disturbed.
 */
import type { DrainReason } from '../../shared/protocol.ts';
import type { EventWithoutRelease, Failure } from '../../shared/events.ts';
import type { BindablePlan, DescriptorListenerPlan, ListenerPlan, ProgramPlan } from '../config/plan.ts';
import { preloadPath } from '../launch/preload-path.ts';
import { newTreeName, prepareWorker } from '../launch/prepare-worker.ts';
import { newNotifyPath } from '../process/notify-socket.ts';
import type { Platform } from '../process/platform.ts';
import type { LifecycleInput, TimerKey, Undated } from '../program/lifecycle/inputs.ts';
import { noCapabilities, type Worker } from '../program/lifecycle/state.ts';
import type { Verdict, WorkerTableInput } from '../program/lifecycle/worker-step.ts';
import { stepWorker } from '../program/lifecycle/worker-table.ts';
import { createPerformer } from '../program/perform.ts';
import type { WorkerOutput } from '../output/program-output.ts';
import { lifecycleSettings } from '../program/lifecycle-settings.ts';
import { failureContext } from '../program/running-worker.ts';
import { createReadinessJudge } from '../program/readiness-judge.ts';
import { createTimers } from '../program/timers.ts';
import { createVersions } from '../program/versions.ts';
import { notReadyFailure } from '../program/not-ready-failure.ts';
import { notStartedFailure } from '../program/worker-failures.ts';
import { createMessageHandler } from '../program/worker-messages.ts';
import { createWorkerProcesses } from '../program/worker-processes.ts';
import { addressesOf } from '../sockets/host-names.ts';
import type { FoundSockets } from '../sockets/find-inherited-sockets.ts';
import { noLine } from '../output/forward-lines.ts';
import { bindListener, type BoundListener } from '../sockets/listener.ts';
import { ipVersion } from '../sockets/numeric-address.ts';
import { describeOutcome } from '../../shared/describe-failure.ts';
import { killDescendants } from '../process/descendants.ts';
import type { CandidateResult } from './check-report.ts';
import { randomId } from '../random-id.ts';

/** The output of the candidate: it is only kept, and nothing of it goes to a log file. */
const keptOutput: WorkerOutput = {
  stdout: 'joined',
  started: () => undefined,
  write: () => undefined,
  exited: () => undefined,
  ended: () => undefined,
  unended: () => ({ stdout: noLine, stderr: noLine }),
};

/** The only worker: the first one of the first generation. */
const id = 1;
const place = { generation: 1, slot: 0 } as const;

/** How long the worker may outlive this process. It serves no client, so it must end as soon as this process is killed. */
const outliveMs = 0;

export interface Candidate {
  /** Resolves when the candidate has ended, with everything that it has started; null if it was interrupted before it was ready. Does not reject. */
  readonly outcome: Promise<CandidateResult | null>;
  /** Stops the candidate: in an orderly way if it is ready, otherwise by SIGKILL. A second call always kills it. */
  interrupt(): void;
}

export function startCandidate(
  plan: ProgramPlan,
  program: string,
  environment: NodeJS.ProcessEnv,
  platform: Platform,
  inherited: Pick<FoundSockets, 'look'>,
): Candidate {
  const { clock } = platform;
  const preload = preloadPath();
  const versions = createVersions(plan, () => undefined);
  const timers = createTimers(platform);
  const settings = lifecycleSettings(plan, null);
  const tree = newTreeName();
  const startedAt = clock.monotonicMs();
  const queue: WorkerTableInput[] = [];
  let worker: Worker | null = firstWorker(startedAt);
  let isTurning = false;
  let interruptions = 0;
  let decidedAt: number | null = null;
  let isReady = false;
  let failure: Failure | null = null;
  let stopProblem: string | null = null;
  let ended = (): void => undefined;

  const readiness = createReadinessJudge({ platform, versions, dispatch, onEvent: () => undefined });
  const messages = createMessageHandler({
    readiness,
    platform,
    versions,
    dispatch,
    onEvent: () => undefined,
    pauseLapsed: () => undefined,
    open: () => undefined,
  });
  const workers = createWorkerProcesses({
    platform,
    versions,
    messages,
    readiness,
    dispatch,
    preload,
    prepare: (_, inheritedBy) => ({
      ...prepareWorker(
        plan,
        versions.of(place.generation).listeners,
        environment,
        preload,
        null,
        { ...place, tree },
        undefined,
        () => newNotifyPath(null),
        inheritedBy,
      ),
      outliveMs,
    }),
    // The last lines of the output are kept, for the reason of a failure.
    openOutput: () => keptOutput,
    onEvent: () => undefined,
    onEnd: (worker) => {
      performer.ended(worker);
    },
  });
  const performer = createPerformer({
    platform,
    versions,
    workers,
    // A check runs no hook, because a hook may have effects outside.
    gate: {
      enter: (effect) => {
        workers.start(effect);
      },
      leave: () => false,
    },
    readiness,
    timers,
    fire,
    tree,
    onEvent: () => undefined,
    queueLeftBehind: () => undefined,
    admitted: () => undefined,
  });

  /** Only inputs about the worker are handled. Any other one is a request of the worker to reload, and there is nothing to reload. */
  function dispatch(input: Undated<LifecycleInput>): void {
    if ('worker' in input) turn({ ...input, at: now() });
  }

  function turn(input: WorkerTableInput): void {
    queue.push(input);
    if (isTurning) return;
    isTurning = true;
    for (let next = queue.shift(); next !== undefined && worker !== null; next = queue.shift()) {
      const step = stepWorker(worker, next, settings);
      ({ worker } = step);
      for (const event of step.effects.flatMap((effect) => performer.perform(effect) ?? [])) note(event);
      if (step.verdict !== null) judge(step.verdict);
    }
    isTurning = false;
    if (worker === null) ended();
  }

  function judge(verdict: Verdict): void {
    if (verdict.type === 'workerBecameReady') {
      isReady = true;
      decidedAt = clock.monotonicMs();
      drain('stop');
    } else if (verdict.type === 'workerFailed') {
      decidedAt ??= clock.monotonicMs();
      failure = verdict.end.failure;
    }
  }

  function note(event: EventWithoutRelease): void {
    if (!isReady) return;
    if (event.event === 'workerKilled' && event.reason === 'drainTimeout')
      stopProblem = 'it did not end within its drain timeout and was killed';
    else if (event.event === 'workerExited' && event.failure !== null)
      stopProblem ??= `it ended with ${describeOutcome(event.outcome)} when it was stopped`;
  }

  function fire(key: TimerKey): void {
    if (key.timer === 'ready') notReady();
    else if (key.timer === 'drain') turn({ type: 'drainTimedOut', worker: id, at: now() });
    else if (key.timer === 'kill') turn({ type: 'killTimedOut', worker: id, at: now() });
  }

  function notReady(): void {
    const running = workers.get(id);
    if (running === undefined) return;
    running.withoutPreload = platform.findWithoutPreload(running.process.pid, preload);
    const context = failureContext(running, versions.of(place.generation).listeners);
    const late = notReadyFailure(plan.readyTimeoutMs, readiness.awaited(running), context);
    turn({ type: 'workerNotReady', worker: id, at: now(), failure: late, mayAccept: false });
  }

  function drain(reason: DrainReason): void {
    turn({ type: 'drain', at: now(), reason });
  }

  function now(): number {
    return Math.round(clock.monotonicMs());
  }

  async function live(): Promise<CandidateResult | null> {
    try {
      const prepared = await versions.prepare(plan, async (wanted) => ({
        sockets: await bindStandIn(wanted, inherited),
        madeFor: wanted,
      }));
      prepared.commit(place.generation);
      const gone = new Promise<void>((resolve) => {
        ended = resolve;
      });
      if (interruptions > 0) return null;
      timers.arm({ timer: 'ready', worker: id }, plan.readyTimeoutMs, fire);
      workers.start({ type: 'startWorker', worker: id, ...place });
      await gone;
    } catch (error) {
      failure = notStartedFailure(error);
    } finally {
      timers.disarmAll();
      versions.close();
      await killDescendants(platform);
    }
    if (!isReady && failure === null) return null;
    const durationMs = Math.round((decidedAt ?? clock.monotonicMs()) - startedAt);
    return { program, ready: isReady, durationMs, failure: isReady ? null : failure, stopProblem };
  }

  return {
    outcome: live(),
    interrupt() {
      interruptions += 1;
      if (interruptions === 1) drain('stop');
      else turn({ type: 'kill', at: now(), reason: 'stop' });
    },
  };
}

function firstWorker(startedAt: number): Worker {
  return {
    id,
    ...place,
    pid: null,
    phase: 'starting',
    phaseSince: startedAt,
    startedAt,
    capabilities: { ...noCapabilities, isGated: true },
    extendedTo: null,
    ending: [],
    readyAt: null,
    admission: 'notAsked',
    takesConnections: false,
    isPaused: false,
    isHung: false,
  };
}

/** Binds a socket in place of a listener. No client connects to it: only the worker knows its port, and the worker does not accept. */
async function bindStandIn(
  wanted: ListenerPlan,
  inherited: Pick<FoundSockets, 'look'>,
): Promise<readonly BoundListener[]> {
  const listener = wanted.type === 'fd' ? await inheritedPlan(wanted, inherited) : wanted;
  if (listener.type === 'unix') {
    const { bindUnixListener } = await import('../sockets/unix-listener.ts');
    const standIn = { ...listener, path: `@graceful-run-check-${randomId()}`, mode: null, owner: null };
    return [{ ...(await bindUnixListener(standIn)), address: { type: 'unix', path: listener.path } }];
  }
  const { host, port } = listener;
  const [announced = '::'] = host === null ? [] : await addressesOf(host, port);
  if (listener.type === 'udp') {
    const { bindUdpListener } = await import('../sockets/udp-listener.ts');
    // A UDP program expects a socket of this address family.
    const bound = await bindUdpListener({
      ...listener,
      host: ipVersion(announced) === 6 ? '::1' : '127.0.0.1',
      port: 0,
    });
    const free = bound.address.type === 'udp' ? bound.address.port : 0;
    return [{ ...bound, address: { type: 'udp', host: announced, port: port === 0 ? free : port } }];
  }
  const bound = await bindListener({ ...listener, host: '127.0.0.1', port: 0 });
  const free = bound.address.type === 'tcp' ? bound.address.port : 0;
  const address = { type: 'tcp', host: announced, port: port === 0 ? free : port } as const;
  return [{ ...bound, boundAt: bound.address, address }];
}

/** The plan of an inherited socket's address. If only a running master has the socket, the address is not known here: then any port stands for it. */
async function inheritedPlan(
  wanted: DescriptorListenerPlan,
  { look }: Pick<FoundSockets, 'look'>,
): Promise<BindablePlan> {
  const { name, backlog } = wanted;
  const [{ address } = { address: null }] = await look(wanted).catch(() => []);
  if (address?.type === 'unix') return { name, backlog, ...address, mode: null, owner: null };
  return { name, backlog, type: 'tcp', host: address?.host ?? null, port: address?.port ?? 0 };
}
