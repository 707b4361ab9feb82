/**
 * Puts a master together: its control socket and its programs, with the order in which they begin and end. It decides nothing
 * else, and knows neither the command line, nor signals, nor what a log looks like.
 */
import { dirname } from 'node:path';
import type { MasterStatus, ReloadResult, Status, UpdateResult } from '../shared/control-api.ts';
import { internalError } from '../shared/internal-error.ts';
import { controlFolders } from '../shared/control-path.ts';
import { addressFields } from '../shared/format-address.ts';
import type { Cause, EventRecord, Failure, MasterEvent } from '../shared/events.ts';
import { version } from '../shared/version.ts';
import {
  compileOptions,
  type MasterOptions,
  type OptionSpelling,
  type PlanOptions,
} from './config/options.ts';
import type { Plan, ProgramPlan } from './config/plan.ts';
import { noPlaces, type PlacedPlan } from './config/plan-places.ts';
import { workingDirectory } from './config/working-directory.ts';
import type { Commands, ReloadUnderWay, UpdateCommand } from './control/commands.ts';
import { openControlServer, type ControlServer } from './control/control-server.ts';
import { deferred } from './deferred.ts';
import type { Master } from './embedded-master.ts';
import { recordVersion, type MasterRecord } from './handover/record.ts';
import { createLogFilesLoader } from './output/log-files-loader.ts';
import { standardError, standardOutput } from './output/standard-error.ts';
import { embeddedOutput } from './output/shared-output.ts';
import type { MetricsServer } from './metrics/metrics-server.ts';
import { createCounts } from './metrics/event-counts.ts';
import type { Platform } from './process/platform.ts';
import { system } from './process/system.ts';
import { describeStatus } from './program/describe-status.ts';
import { masterStopped } from './program/history/reload-waiters.ts';
import type { AnnouncedSocket } from './sockets/announced-sockets.ts';
import { isNamedWhenBound } from './config/plan-names.ts';
import { openSockets } from './sockets/descriptors.ts';
import { findInheritedSockets } from './sockets/find-inherited-sockets.ts';
import { startFailed } from './program/worker-failures.ts';
import { exitCodeAfter } from './programs/exit-code-of-program.ts';
import { createReloadAll } from './programs/reload-all.ts';
import { programStopped } from './programs/program-stopped.ts';
import type { Remembered } from './programs/remembered.ts';
import { createUpdates } from './programs/updates.ts';
import { hasEnded, isScheduled, type Member, recordOf, type StartOutcome } from './programs/member.ts';
import { createProgramSet, type StartUnderWay } from './programs/program-set.ts';
import { describeSchedule } from './programs/schedule/describe-schedule.ts';
import { nothingToReload } from './programs/schedule/nothing-to-reload.ts';
import { stateFile } from './programs/state-file.ts';

/** A master, with functions for the process that runs it. */
export interface OwnedMaster extends Master {
  /** The commands that the control socket calls as well. */
  readonly commands: Commands;
  /** The exit code that the end of a program asks for, or null if it asks for none. */
  exitCode(): number | null;
  /** Everything that has to survive this process. */
  record(): MasterRecord;
  /** Reports an unexpected error as `internalError`. */
  noteBug(error: unknown): void;
}

/** What a master takes from its surroundings. Everything has a default. */
export interface Surroundings {
  readonly platform: Platform;
  readonly environment: NodeJS.ProcessEnv;
  /**
   * Where the stderr of the worker of this program with this pid goes, in whole lines, as it was written. `hasPrefix`: the plan wants each line to begin
   * with program and pid if people read it.
   */
  readonly onStderr: (bytes: Uint8Array, pid: number, program: string, hasPrefix: boolean) => void;
  /** As `onStderr`, for a stdout that is forwarded. */
  readonly onStdout: (bytes: Uint8Array, pid: number, program: string, hasPrefix: boolean) => void;
  /** The sockets with which this process was started, as its environment announces them. */
  readonly announced: readonly AnnouncedSocket[];
  /** The id in every line of the master's log (random-id.ts), or null if it writes no log. */
  readonly logId: string | null;
  /** How errors name the options. */
  readonly spelling: OptionSpelling;
  /** Reads the config file again; null if the plan is not from a file. Errors: `planInvalid`. */
  readonly readPlan: (() => Promise<PlacedPlan>) | null;
}

/** How long to wait before looking again whether the previous master of this name has ended. */
const namePauseMs = 100;
/** How long the end of the master waits for a disk that is slow. */
const lastLinesMs = 5_000;

/** Checks the options and makes a master that does nothing yet. Errors: `badOption`, `commandMissing`, `planInvalid`. */
export function createMaster(
  options: MasterOptions | PlanOptions,
  given: Partial<Surroundings> = {},
): OwnedMaster {
  const { environment = process.env, spelling = 'code' } = given;
  return createMasterOf(compileOptions(options, workingDirectory(environment), spelling), given);
}

/** Makes a master of this plan that does nothing yet. */
export function createMasterOf(plan: Plan, given: Partial<Surroundings> = {}): OwnedMaster {
  return assemble(plan, {
    platform: system,
    environment: process.env,
    onStderr: given.onStderr ?? embeddedOutput(standardError),
    onStdout: given.onStdout ?? embeddedOutput(standardOutput),
    announced: [],
    logId: null,
    spelling: 'code',
    readPlan: null,
    ...given,
  });
}

function assemble(
  first: Plan,
  { platform, environment, onStderr, onStdout, announced, logId, readPlan }: Surroundings,
): OwnedMaster {
  const startedAt = platform.clock.monotonicMs();
  const inherited = findInheritedSockets(announced, openSockets());
  const subscribers = new Set<(event: EventRecord) => void>();
  const counts = createCounts();
  const ended = deferred<Failure | null>();
  let control: ControlServer | null = null;
  let metricsServer: MetricsServer | null = null;
  let starting: Promise<void> | null = null;
  let isStopping = false;
  let exitCode: number | null = null;
  let remembered: Remembered | null = null;
  /** Programs that keep running although their `autostart` has become false. No request has started them, so they are not remembered as wanted. */
  const runningOn = new Set<string>();
  const logFiles = createLogFilesLoader();
  /** Whether the master lives no longer than its only program, and starts only if that does. */
  const isOfOneProgram =
    first.master.file === null && first.programs.length === 1 && first.programs[0]?.schedule === null;

  const set = createProgramSet({
    environment,
    platform,
    inherited,
    logFiles,
    onStderr,
    onStdout,
    privateFolder: () => (control === null ? null : dirname(control.path)),
    onEvent: observe,
    publish,
    seenRunsFile: () => stateFile(`${name()}.runs`, environment),
    stopped: (action, program) =>
      isStopping || isOfOneProgram ? masterStopped(action) : programStopped(action, program),
    outlives: ({ restart }) => restart.onFatal === 'stay' || !(isOfOneProgram || restart.onFatal === 'exit'),
  });
  for (const program of first.programs) set.add(set.create(program));

  const updates = createUpdates({
    set,
    first,
    environment,
    readPlan,
    wasStopped: (program) => remembered?.isWanted(program, true) === false,
    isStopping: () => isStopping,
    publish,
  });

  const commands: Commands = {
    master: describeMaster,
    async programs({ hasLoad = false } = {}) {
      const members = set.all();
      await Promise.all(members.map(async ({ program }) => program.askOpen(hasLoad)));
      return members.map((member) => statusOf(member, hasLoad));
    },
    async status({ program, hasLoad = false }) {
      const member = set.find(program);
      await member.program.askOpen(hasLoad);
      return statusOf(member, hasLoad);
    },
    async metrics() {
      const programs = await commands.programs({ hasLoad: true });
      // Loaded only if it is needed.
      const { renderMetrics } = await import('./metrics/render.ts');
      return renderMetrics({ master: describeMaster(), programs, counts: counts.all() });
    },
    start({ program }) {
      const member = running('start', program);
      runningOn.delete(member.program.name());
      return keepingWanted(underWay(set.start(member)));
    },
    restart({ program, cause }) {
      const member = running('restart', program);
      runningOn.delete(member.program.name());
      return keepingWanted(underWay(set.restart(member, cause)));
    },
    reload({ program, ...command }) {
      const member = running('reload', program);
      if (isScheduled(member))
        return nothingToReload(member.program.nextGeneration(), platform.clock.wallMs());
      if (hasEnded(member)) return underWay(set.start(member));
      if (!member.program.plan().kind.overlaps) return underWay(set.restart(member, command.cause));
      const { generation, outcome } = member.program.reload(command);
      return { accepted: { generation }, outcome };
    },
    promote: ({ program }) => running('promote', program).program.decide('promote'),
    rollback: ({ program }) => running('roll back', program).program.decide('rollback'),
    scale: ({ program, change }) => running('scale', program).program.scale({ change }),
    stop({ program, cause }) {
      const member = set.find(program);
      if (isOfOneProgram) return commands.shutDown({ cause });
      const stopped = set.stop(member, cause);
      const done = Promise.all([stopped, keepWanted()]).then(() => undefined);
      return { accepted: { pid: process.pid }, done };
    },
    shutDown({ cause }) {
      isStopping = true;
      void set
        .stopAll(cause)
        .catch(noteBug)
        .then(async () => finish(null));
      return { accepted: { pid: process.pid }, done: ended.promise.then(() => undefined) };
    },
    update: updateFromFile,
    reloadAll: createReloadAll({
      set,
      isOfOneProgram,
      update:
        readPlan === null
          ? null
          : async (cause) => (await updateFromFile({ cause, isDryRun: false })).programs,
      reload: (program, cause) => commands.reload({ program, cause, wait: 'serving' }),
    }),
    reopenLogs,
    logs: ({ program, ...request }, signal) => set.find(program).program.logs(request, signal),
    subscribe: (listener, of) => {
      const name = of === undefined ? null : set.find(of.program).program.name();
      if (name === null) return subscribe(listener);
      return subscribe((event) => {
        if (event.program === name) listener(event);
      });
    },
  };

  async function updateFromFile(command: UpdateCommand): Promise<UpdateResult> {
    const result = await updates.fromFile(command);
    // Programs that were added, removed or restarted may have been stopped by a request before.
    if (!command.isDryRun) await keepUpdated(result);
    return result;
  }

  async function keepUpdated({ difference: { changed, removed } }: UpdateResult): Promise<void> {
    for (const { program, later } of changed.filter(({ keys }) => keys.includes('autostart')))
      if (later.includes('autostart') && set.find(program).isWanted) runningOn.add(program);
      else runningOn.delete(program);
    for (const program of removed) runningOn.delete(program);
    await keepWanted();
  }

  /** Reports an unexpected error. */
  function noteBug(error: unknown): void {
    publish(internalError(error));
  }

  /** Delays the outcome of a request until the state that it asks for is stored. */
  function keepingWanted({ accepted, outcome }: ReloadUnderWay): ReloadUnderWay {
    const kept = keepWanted();
    return { accepted, outcome: outcome.finally(async () => kept) };
  }

  /** Stores which programs are wanted by requests of operators. The end of the master is no such request. */
  async function keepWanted(): Promise<void> {
    if (remembered === null || isStopping) return;
    const asked = set.all().filter(({ program }) => !runningOn.has(program.name()));
    await remembered.keep(
      asked.map(({ program, isWanted: isToRun }) => ({
        name: program.name(),
        isWanted: isToRun,
        autostart: program.plan().autostart,
      })),
    );
  }

  function observe({ program, isWanted }: Member, event: MasterEvent, time: number): void {
    if (event.event === 'reloadRequested') void control?.restore();
    publish(event, program.name(), time);
    updates.observe(event, program.name());
    if (event.event === 'stopped') programStops(program.plan(), event, isWanted);
  }

  function programStops(
    { restart }: ProgramPlan,
    { failure, outcome }: Extract<MasterEvent, { event: 'stopped' }>,
    isWanted: boolean,
  ): void {
    const isByItself = failure !== null || outcome !== null;
    if (isOfOneProgram) {
      // (A program that is only restarted is wanted, and has not ended by itself.)
      if (isWanted && (!isByItself || restart.onFatal === 'stay')) return;
      if (isWanted) exitCode = exitCodeAfter(failure, outcome, restart.onFatal);
      void finish(failure);
    } else if (isWanted && failure !== null && restart.onFatal === 'exit' && !isStopping) {
      exitCode = exitCodeAfter(failure, outcome, restart.onFatal);
      isStopping = true;
      void set
        .stopAll('worker')
        .catch(noteBug)
        .then(async () => finish(failure));
    }
  }

  function publish(
    event: MasterEvent,
    program: string = name(),
    time: number = platform.clock.wallMs(),
  ): void {
    const record: EventRecord = { ...event, program, time };
    counts.observe(record);
    for (const subscriber of subscribers) {
      try {
        subscriber(record);
      } catch (error) {
        // The error is not the master's: the other subscribers and the rest of the master continue.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  function name(): string {
    return updates.plan().master.name ?? set.all()[0]?.program.name() ?? 'graceful-run';
  }

  function running(action: string, program: string | null): Member {
    if (isStopping) throw masterStopped(action);
    const member = set.find(program);
    const phase = member.program.phase();
    const isWaiting = isScheduled(member) && member.isWanted;
    const isAtRest = (phase === 'stopped' || phase === 'idle') && !isWaiting;
    if (isAtRest && !isOfOneProgram && action !== 'start' && action !== 'restart')
      throw programStopped(action, member.program.name());
    return member;
  }

  async function reopenLogs(): Promise<void> {
    const reopened = (await logFiles.loaded()?.reopen()) ?? { paths: [], problems: [] };
    publish({ event: 'logsReopened', ...reopened });
  }

  function underWay({ generation, outcome }: StartUnderWay): ReloadUnderWay {
    return { accepted: { generation }, outcome: outcome.then(orThrow) };
  }

  async function open(): Promise<void> {
    if (!isOfOneProgram) await openControl();
    else await openOnly(set.find(null));
    await openMetrics();
    publish({ event: 'masterStarted', pid: process.pid, version, control: control?.path ?? null });
    const declared = updates.plan().programs.flatMap(({ listeners }) => listeners);
    for (const { name: socket, address } of await inherited.strangers(declared))
      publish({ event: 'inheritedSocketUnused', socket, ...addressFields(address) });
  }

  /** Prepares the only program: everything that can prevent its start is found before it is started. */
  async function openOnly({ program }: Member): Promise<void> {
    // Fails early and cheaply if there is no such command, folder or environment file: nothing was changed yet.
    program.check();
    // If a master of this name runs, an error about the name is clearer than one about the port. With port 0 the name comes with the port.
    const [listener] = program.plan().listeners;
    if (!isNamedWhenBound(listener) || updates.plan().master.name !== null) await openControl();
    await program.bind();
    if (control === null) await openControl();
    await program.watch();
  }

  /** False once a stop was requested while the master starts: then it need not wait any longer. */
  function isWanted(): boolean {
    return !isStopping;
  }

  async function openMetrics(): Promise<void> {
    const { metrics } = updates.plan().master;
    if (metrics === null) return;
    // Loaded only if it is needed.
    const { openMetricsServer } = await import('./metrics/metrics-server.ts');
    metricsServer = await openMetricsServer({
      plan: metrics,
      render: commands.metrics,
      onProblem: (problem) => {
        publish({ event: 'metricsFailed', problem });
      },
    });
    publish({ event: 'metricsServed', isSecure: metrics.tls !== null, ...metricsServer.address });
  }

  async function openControl(): Promise<void> {
    if (!updates.plan().master.hasControl) return;
    let told: number | null = null;
    control = await openControlServer({
      name: name(),
      folders: controlFolders(environment, process.geteuid?.() ?? 0),
      commands,
      keepsAlive: !isOfOneProgram,
      // The other master's drain timeout ends this wait. A supervisor may start the next master before the last one has drained.
      wait: async (holder) => {
        if (!isWanted()) return false;
        if (holder !== told) publish({ event: 'nameBusy', holder });
        told = holder;
        await new Promise<void>((resolve) => {
          platform.arm(namePauseMs, resolve);
        });
        return isWanted();
      },
      onChange: (change) => {
        publish({ event: 'controlSocketChanged', ...change });
      },
    });
  }

  let finishing: Promise<void> | null = null;
  async function finish(failure: Failure | null): Promise<void> {
    finishing ??= close().then(() => {
      ended.resolve(failure);
    });
    return finishing;
  }

  async function close(): Promise<void> {
    await Promise.all(set.all().map(async ({ program }) => program.close()));
    await lastLines();
    await set.written();
    await metricsServer?.close();
    await control?.close();
  }

  /** Waits until everything is written to the log files, or until that takes too long: then the rest is counted as lost. */
  async function lastLines(): Promise<void> {
    const files = logFiles.loaded();
    if (files === null) return;
    await new Promise<void>((resolve) => {
      const cancel = platform.arm(lastLinesMs, () => {
        files.abandon();
        resolve();
      });
      void files.flushed().then(() => {
        cancel();
        resolve();
      });
    });
  }

  async function start(): Promise<void> {
    try {
      await open();
      if (!isWanted()) throw masterStopped();
    } catch (error) {
      await close();
      // If a stop was requested in the meantime, that is the reason to report, and not the error that it may have caused.
      throw isWanted() ? error : masterStopped();
    }
    if (isOfOneProgram) await startOnly(set.find(null));
    else await startAll();
  }

  async function startOnly(member: Member): Promise<void> {
    try {
      let { failure } = orThrow(await set.start(member).outcome);
      while (failure !== null && member.program.phase() === 'backoff')
        ({ failure } = await member.program.nextStart());
      if (failure !== null && member.program.plan().restart.onFatal !== 'stay') throw startFailed(failure);
    } catch (error) {
      // Nothing is left running when start() has failed.
      await ended.promise;
      throw error;
    }
  }

  async function startAll(): Promise<void> {
    remembered = await openFile();
    const wants = ({ program }: Member, otherwise: boolean): boolean =>
      remembered?.isWanted(program.name(), otherwise) ?? otherwise;
    const members = set.all().filter((member) => wants(member, member.program.plan().autostart));
    // A program that an operator has stopped is not started for those that depend on it, either.
    const isLeftAlone = (member: Member): boolean => !wants(member, true);
    // The result of each start is in the log.
    await set.startAll(members, isLeftAlone);
    if (!isWanted()) {
      await ended.promise;
      throw masterStopped();
    }
  }

  async function openFile(): Promise<Remembered | null> {
    if (!updates.plan().master.remembers) return null;
    const { openRemembered } = await import('./programs/remembered.ts');
    return openRemembered(stateFile(name(), environment), publish);
  }

  function describeMaster(): MasterStatus {
    const uptimeMs = Math.round(platform.clock.monotonicMs() - startedAt);
    return {
      name: name(),
      pid: process.pid,
      version,
      uptimeMs,
      isStopping,
      logId,
      file: updates.plan().master.file,
    };
  }

  function statusOf(member: Member, hasLoad = false): Status {
    const { program, isWanted: isToRun } = member;
    const waitsFor = isToRun && !program.isServing() ? set.waitsFor(member) : [];
    return describeStatus(program.record(), {
      master: describeMaster(),
      group: program.plan().group?.name ?? null,
      isWanted: isToRun,
      waitsFor,
      isAboutToStart: member.isBinding || (member.isDue && waitsFor.length === 0),
      openOf: (worker) => program.openOf(worker),
      schedule: describeSchedule(program.plan().schedule, member.schedule),
      load: hasLoad ? { of: program.loadOf, served: program.served() } : null,
      at: platform.clock.monotonicMs(),
    });
  }

  function subscribe(listener: (event: EventRecord) => void): () => void {
    subscribers.add(listener);
    return () => subscribers.delete(listener);
  }

  function changeWorkerCount(change: number, program: string | null): void {
    const { program: own } = set.find(program);
    if (own.plan().kind.pidFile === null && (own.phase() === 'idle' || own.isRunning()))
      commands.scale({ program, change });
  }

  return {
    start: () => (starting ??= start()),
    reload: async (cause = 'embedder') => commands.reload({ program: null, cause, wait: 'serving' }).outcome,
    promote: () => commands.promote({ program: null }),
    rollback: () => commands.rollback({ program: null }),
    stop: async (cause = 'embedder') => commands.shutDown({ cause }).done,
    changeWorkerCount: (change) => {
      changeWorkerCount(change, null);
    },
    status: () => statusOf(set.find(null)),
    programs: () => set.all().map((member) => statusOf(member)),
    program(wanted) {
      set.find(wanted);
      const command = (cause: Cause = 'embedder') => ({ program: wanted, cause, wait: 'serving' }) as const;
      return {
        start: async (cause) => commands.start(command(cause)).outcome,
        reload: async (cause) => commands.reload(command(cause)).outcome,
        promote: () => commands.promote({ program: wanted }),
        rollback: () => commands.rollback({ program: wanted }),
        restart: async (cause) => commands.restart(command(cause)).outcome,
        stop: async (cause) => commands.stop(command(cause)).done,
        changeWorkerCount: (change) => {
          changeWorkerCount(change, wanted);
        },
        status: () => statusOf(set.find(wanted)),
      };
    },
    async update(options) {
      const result = await updates.to({ cause: 'embedder', isDryRun: false }, async () =>
        Promise.resolve({
          plan: compileOptions(options, workingDirectory(environment)),
          places: noPlaces,
        }),
      );
      await keepUpdated(result);
      return result;
    },
    subscribe,
    ended: ended.promise,
    commands,
    exitCode: () => exitCode,
    noteBug,
    record: () => ({
      version: recordVersion,
      startedAt,
      logId,
      plan: updates.plan().master,
      unsettled: updates.unsettled(),
      programs: set.all().map(recordOf),
    }),
  };
}

function orThrow(outcome: StartOutcome): ReloadResult {
  if (outcome instanceof Error) throw outcome;
  return outcome;
}
