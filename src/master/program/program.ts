/**
 * One program: its plan, its listeners, its workers and what happened to it. It can be started again after it has stopped or failed, and its plan can
 * change while it runs. It knows neither other programs nor what its events are used for.
 */
import type { EventWithoutRelease, MasterEvent } from '../../shared/events.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import { internalError } from '../../shared/internal-error.ts';
import { isDeclared } from '../config/difference.ts';
import { nameAfter } from '../config/plan-names.ts';
import { addressFields } from '../../shared/format-address.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { codeCachePath, preloadPath } from '../launch/preload-path.ts';
import { newTreeName, prepareWorker } from '../launch/prepare-worker.ts';
import { ofPort, type VariableSource } from '../launch/worker-environment.ts';
import { newNotifyPath } from '../process/notify-socket.ts';
import type { BoundListener } from '../sockets/listener.ts';
import { logsSource } from '../output/logs-source.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import type { OutputPlan } from '../config/options/output-options.ts';
import {
  createProgramOutput,
  type UnendedLines,
  type WorkerOutput,
  type WorkerPlace,
} from '../output/program-output.ts';
import { recordOfKept, restoreKept } from '../output/kept-lines.ts';
import { createHooksLoader } from '../hooks/hooks-loader.ts';
import { describeDrain } from './describe-status.ts';
import { createDrainProgress } from './drain-progress.ts';
import { emptyHistory, remember } from './history/history.ts';
import { releaseOf, withRelease } from './history/known-releases.ts';
import { createReleases } from './history/releases.ts';
import { createReloadWaiters, masterStopped } from './history/reload-waiters.ts';
import { lifecycleSettings } from './lifecycle-settings.ts';
import { isOrderly } from './lifecycle/restart-policy.ts';
import { idleProgram, isAccepting, isResting, isRunning, servingGeneration } from './lifecycle/state.ts';
import { createServingWaiters, failureOf } from './history/serving-waiters.ts';
import { createRunner } from './runner.ts';
import { decideRollout } from './rollout/decide-rollout.ts';
import { createWatchLoader } from './rollout/watch-loader.ts';
import { createWorkerLimitsLoader } from './worker-limits-loader.ts';
import { unfinishedLifecycle } from './unfinished.ts';
import { createVersions, recordOf } from './versions.ts';
import type { ManagedProgram, ProgramParts } from './managed-program.ts';
import { createProgramListeners } from './program-listeners.ts';
import { createProgramWatch } from './program-watch.ts';

export function createProgram(parts: ProgramParts): ManagedProgram {
  const { environment, platform } = parts;
  const { stopped = masterStopped, tree = newTreeName() } = parts;
  const versions = createVersions(parts.plan, announceListener);
  const releases = createReleases((generation) => versions.of(generation).plan, environment);
  const waiters = createReloadWaiters(platform.arm, stopped);
  const servingWaiters = createServingWaiters(() => runner.state());
  const preload = preloadPath();
  const jitterSeed = Math.floor(Math.random() * 2 ** 32);
  const saidOfPort = new Set<VariableSource>();
  let history = emptyHistory;
  /** Whether the next generation has no probation. Applies until that generation serves. */
  let isProbationSkipped = false;
  /** The name after the first address, while the plan gives the program no name. */
  let nameOfAddress = '';

  const output = createProgramOutput({
    name,
    arm: platform.arm,
    files: parts.logFiles,
    hasPrefix: parts.plan.output.hasPrefix,
    onStderr: parts.onStderr,
    onStdout: parts.onStdout,
    onEvent: tell,
  });

  const hooks = createHooksLoader({ name, plan: () => versions.latest().plan, environment, tell });

  const runner = createRunner(
    {
      platform,
      versions,
      preload,
      tree,
      prepare: (place, inheritedBy) => {
        releases.starting(place, servingGeneration(runner.state())?.number ?? null);
        const codeCache = codeCachePath(preload, parts.privateFolder());
        const { plan, listeners } = versions.of(place.generation);
        return prepareWorker(
          plan,
          listeners,
          environment,
          preload,
          codeCache,
          { ...place, tree },
          portChanged,
          (uid) => newNotifyPath(uid === null ? parts.privateFolder() : null),
          inheritedBy,
        );
      },
      onEvent: tell,
      onChange: (program) => {
        servingWaiters.observe(program);
      },
      prepareGeneration: (generation) =>
        hooks.beforeStart(() => {
          const { workers } = versions.latest().plan;
          const event = complete({ event: 'generationStarted', generation, workers });
          return { ...event, program: name(), time: platform.clock.wallMs() };
        }),
      openOutput: (place, unended) => {
        const { output: plan } = versions.of(place.generation).plan;
        return unended === undefined ? output.open(plan, place) : reopenOutput(plan, place, unended);
      },
    },
    idleProgram(lifecycleSettings(parts.plan, jitterSeed), parts.plan.workers),
  );

  const ownListeners = createProgramListeners({
    versions,
    platform,
    owners: parts,
    load,
    nextGeneration,
    tell,
  });

  const watches = createWatchLoader(platform, runner, versions);
  const limits = createWorkerLimitsLoader(platform, runner, versions, tell);

  const fileWatch = createProgramWatch({
    plan: () => versions.latest().plan,
    environment,
    tell,
    onChange: (path) => {
      tell({ event: 'fileChanged', path });
      if (isResting(runner.state()) || !versions.latest().plan.kind.overlaps) parts.onRestartWanted?.();
      else runner.dispatch({ type: 'reloadRequested', cause: 'watch' });
    },
  });

  const progress = createDrainProgress({
    arm: platform.arm,
    isDraining: () => look() !== null,
    look: async () => {
      await runner.askOpen();
      return look();
    },
    publish: tell,
  });

  function look(): ReturnType<typeof describeDrain> {
    return describeDrain(runner.state(), (worker) => runner.openOf(worker), platform.clock.monotonicMs());
  }

  /** Handles every event of the program: it is remembered first, and then reported. */
  function tell(announced: EventWithoutRelease, wallMs: number = platform.clock.wallMs()): void {
    const event = complete(announced);
    history = remember(history, event, wallMs);
    if (event.event === 'generationReady') {
      versions.of(event.generation).fitted.decided();
      ownListeners.rescue()?.relieve();
    }
    if (event.event === 'listenersClosed') versions.forgetListeners();
    waiters.observe(event, history);
    progress.observe(event);
    watches.observe(event);
    retireVersions();
    hooks.observe(event, wallMs);
    limits.observe(event);
    parts.onEvent(event, wallMs);
  }

  function complete(event: EventWithoutRelease): MasterEvent {
    return withRelease(event, releases.known(), versions.latest().plan.kind.type === 'oneshot');
  }

  /**
   * Forgets versions that are not run any more. A version is run while one of its generations serves or may serve again, and while one of its workers may
   * still accept. (A worker that drains has its own copies of the listeners.)
   */
  function retireVersions(): void {
    // (A program that is being restarted keeps its versions while it serves nothing.)
    if (runner.state().phase !== 'serving') return;
    const serving = servingGeneration(runner.state())?.number ?? 0;
    versions.retire(
      ({ from }, until) =>
        (from <= serving && serving < until) ||
        history.workers.some(
          ({ generation, accepting }) => generation >= from && generation < until && accepting !== 'no',
        ),
    );
    if (serving >= versions.latest().from && isProbationSkipped) applySettings(versions.latest().plan);
  }

  function announceListener({ name, address }: BoundListener): void {
    tell({ event: 'listenerBound', listener: name, ...addressFields(address) });
  }

  /** Reports that PORT was changed, once for each source: every start of a worker notices it again. */
  function portChanged(source: VariableSource): void {
    const port = firstPort(versions.latest().listeners);
    if (port === null || saidOfPort.has(source)) return;
    saidOfPort.add(source);
    tell({ event: 'portChanged', source, port });
  }

  /** Opens the output of a worker that runs already. If a file cannot be opened, that is no reason to lose the worker: the next one opens it anew. */
  function reopenOutput(plan: OutputPlan, place: WorkerPlace, unended: UnendedLines): WorkerOutput {
    try {
      return output.open(plan, place, unended);
    } catch (error) {
      const file = [plan.stderr, plan.stdout].find((one) => one.to === 'file');
      const path = file?.to === 'file' ? file.path : '';
      tell({ event: 'outputLost', path, reason: 'cannotWrite', problem: messageOf(error) });
      return output.open({ ...plan, stdout: { to: 'none' }, stderr: { to: 'inherit' } }, place, unended);
    }
  }

  function nextGeneration(): number {
    return runner.state().lastGeneration + 1;
  }

  function noteBug(error: unknown): void {
    tell(internalError(error));
  }

  /** Loads what a plan needs that other programs do without. */
  async function load(plan: ProgramPlan): Promise<void> {
    await output.load(plan.output);
    await watches.load(plan);
    if (plan.kind.pidFile !== null) await platform.prepareToAdopt();
  }

  function applySettings(plan: ProgramPlan, skipsProbation = false): void {
    isProbationSkipped = skipsProbation;
    const settings = lifecycleSettings(plan, jitterSeed);
    runner.dispatch({
      type: 'settingsChanged',
      settings: skipsProbation ? { ...settings, probationMs: 0 } : settings,
    });
  }

  function name(): string {
    const { plan, listeners } = versions.latest();
    const [listener] = listeners;
    if (listener !== undefined) nameOfAddress = nameAfter(listener.address);
    return plan.name ?? (nameOfAddress === '' ? nameAfter(plan.listeners[0]) : nameOfAddress);
  }

  return {
    plan: () => versions.latest().plan,
    name,
    phase: () => runner.state().phase,
    isRunning: () => isRunning(runner.state()),
    isServing: () => servingGeneration(runner.state()) !== null,
    hasExitedAsExpected() {
      const program = runner.state();
      return program.phase === 'exited' && isOrderly(program.outcome, program.settings.restart);
    },
    nextGeneration,
    startedGeneration() {
      const program = runner.state();
      if (program.phase === 'starting') return program.lastGeneration;
      return servingGeneration(program)?.number ?? nextGeneration();
    },
    lend: (wanted) => versions.share(wanted, false),
    check() {
      prepareWorker(versions.latest().plan, [], environment, preload, null, { generation: 1, slot: 0, tree });
    },
    bind: async () => ownListeners.bind(),
    watch: async () => fileWatch.start(),
    async start() {
      const first = waiters.wait(nextGeneration(), 'serving');
      if (isResting(runner.state()))
        for (const listener of versions.latest().listeners) announceListener(listener);
      runner.dispatch({ type: 'startRequested' });
      return first;
    },
    async serveAgain() {
      const since = platform.clock.monotonicMs();
      const number = servingGeneration(runner.state())?.number ?? nextGeneration();
      const wasServed = runner.state().workers.some(isAccepting);
      const outcome = servingWaiters.wait();
      runner.dispatch({ type: 'startRequested' });
      const how = await outcome;
      if (how === 'stopped') throw stopped('start');
      const { lastReload, lastCrash } = history;
      const generation = servingGeneration(runner.state())?.number ?? number;
      const ok = how === 'serves';
      if (ok && wasServed && lastReload?.ok === true && lastReload.generation === generation)
        return lastReload;
      return {
        generation,
        ok,
        endedAt: platform.clock.wallMs(),
        durationMs: Math.round(platform.clock.monotonicMs() - since),
        failure: ok ? null : (failureOf(runner.state()) ?? lastCrash?.failure ?? null),
        release: releaseOf(releases.known(), generation),
        probationMs: 0,
        serving: ok ? generation : null,
        rolledBackTo: null,
        remaining: 0,
      };
    },
    async nextStart() {
      const { phase, lastGeneration } = runner.state();
      return waiters.wait(phase === 'starting' ? lastGeneration : nextGeneration(), 'serving');
    },
    keepStopped() {
      runner.dispatch({ type: 'stopRemembered' });
    },
    refuseStart(failure) {
      runner.dispatch({ type: 'startRefused', failure });
    },
    reload({ cause, wait }) {
      if (!isRunning(runner.state())) throw stopped('reload');
      const generation = nextGeneration();
      const outcome = waiters.wait(generation, wait);
      runner.dispatch({ type: 'reloadRequested', cause });
      return { generation, outcome };
    },
    scale({ change }) {
      const program = runner.state();
      if (program.phase !== 'idle' && !isRunning(program)) throw stopped('scale');
      if (versions.latest().plan.kind.pidFile !== null)
        throw new GracefulRunError(
          'controlRequestRejected',
          `cannot scale ${name()}: its pid file names one process (adopt_pid_file), so it has one worker`,
        );
      runner.dispatch({ type: 'workerCountRequested', change });
      return { workers: runner.state().workersWanted, before: program.workersWanted };
    },
    decide: (decision) => decideRollout(decision, name(), runner),
    stop(cause, { keepsListeners = false, isUrgent = false } = {}) {
      ownListeners.stopWaiting();
      // `worker`: the master ends because another program has failed. Its old workers are as good as before.
      if (!keepsListeners && cause !== 'worker') ownListeners.rescue()?.stop();
      runner.dispatch({ type: 'stopRequested', cause, keepsListeners, isUrgent });
    },
    prepare: async (plan) => ownListeners.prepare(plan),
    change(plan, prepared) {
      const before = versions.latest().plan;
      const isRun = !isResting(runner.state());
      if (prepared === null) versions.amend(plan, nextGeneration());
      else {
        const known = new Set(versions.latest().listeners.map(({ fd }) => fd));
        prepared.commit(nextGeneration());
        for (const listener of versions.latest().listeners)
          if (!known.has(listener.fd) && isRun) announceListener(listener);
      }
      // A listener that is removed has only the old workers, which therefore cannot be paused for a probation.
      const serving = servingGeneration(runner.state())?.number;
      const held = serving === undefined ? before.listeners : versions.of(serving).plan.listeners;
      const losesListener = held.some((own) => !isDeclared(own, plan.listeners));
      output.configure(plan.output);
      watches.load(plan).catch(noteBug);
      applySettings(plan, prepared !== null && isRun && losesListener);
      if (plan.workers !== before.workers)
        runner.dispatch({ type: 'workerCountRequested', change: { to: plan.workers } });
      limits.look().catch(noteBug);
      fileWatch.planChanged(before);
    },
    async *logs(request, signal) {
      const { showLogs } = await import('../output/read-logs.ts');
      const { output: plan, workers: planned } = versions.latest().plan;
      // The program may have been scaled since.
      const workers = Math.max(planned, runner.state().workersWanted);
      yield* showLogs(logsSource(plan, { name: name(), workers }, output.kept), request, signal);
    },
    endLogs() {
      output.kept.end();
    },
    orphans: () => ownListeners.rescue()?.orphans() ?? null,
    askOpen: (ofAll) => runner.askOpen(ofAll),
    announce(event) {
      tell(event);
    },
    openOf: (worker) => runner.openOf(worker),
    loadOf: (worker) => runner.loadOf(worker),
    served: () => runner.served(),
    record: () => ({
      name: name(),
      versions: versions.all().map(recordOf),
      lifecycle: runner.state(),
      history,
      releases: releases.known(),
      workers: runner.workers(),
      errors: watches.errors(),
      timers: runner.timers(),
      servedByEnded: runner.servedByEnded(),
      tree,
      nameOfAddress,
      isProbationSkipped,
      isWatched: fileWatch.isStarted(),
      reportedPorts: [...saidOfPort],
    }),
    keptLines: () => recordOfKept(output.kept),
    async resume(record, resumeListener) {
      ({ history, nameOfAddress, isProbationSkipped } = record);
      for (const source of record.reportedPorts) saidOfPort.add(source);
      releases.resume(record.releases);
      restoreKept(output.kept, record.kept);
      await loadSystemCalls();
      await versions.resume(record.versions, resumeListener);
      for (const { plan } of versions.all()) await load(plan);
      runner.resume(record);
      progress.resume();
      await limits.look();
      // A watch that fails is reported, as at a change of the plan.
      if (record.isWatched)
        await fileWatch.start().catch((error: unknown) => {
          tell({ event: 'watchFailed', problem: messageOf(error) });
        });
    },
    suspendOutput: (isSuspended) => {
      runner.suspendOutput(isSuspended);
    },
    unfinished() {
      const own = name();
      const ofLifecycle = unfinishedLifecycle(runner.state(), own);
      if (ofLifecycle !== null) return ofLifecycle;
      if (waiters.isAwaited() || servingWaiters.isAwaited())
        return `a control request, such as gracefulctl reload --wait, waits for ${own}`;
      const left = ownListeners.rescue()?.unfinished() ?? null;
      if (left !== null) return `workers of ${own}, left by a killed master, still ${left}`;
      if (runner.isBusy()) return `a worker of ${own} is ending, or is being told something`;
      const hook = hooks.unfinished();
      return hook === null ? null : `a ${hook} of ${own} is still running`;
    },
    async close({ keepsWatch = false, isEnd = false } = {}) {
      ownListeners.stopWaiting();
      versions.close();
      versions.forgetListeners();
      if (isEnd) ownListeners.rescue()?.leave();
      if (keepsWatch) return;
      await fileWatch.stop();
      await hooks.done();
    },
  };
}

/** What PORT says; null: it listens on no port. */
function firstPort(listeners: readonly BoundListener[]): number | null {
  return ofPort(listeners.map(({ address }) => address))?.port ?? null;
}
