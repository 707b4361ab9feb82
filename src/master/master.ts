/**
 * Puts a master together: opens and closes its programs and its servers for operators, in their order. It does nothing else, and knows neither the command
 * line, nor signals, nor what a log looks like.
 */
import { join } from 'node:path';
import type { MasterStatus, Status } from '../shared/control-api.ts';
import { internalError } from '../shared/internal-error.ts';
import { addressFields } from '../shared/format-address.ts';
import type { Cause, Failure, MasterEvent } from '../shared/events.ts';
import { version } from '../shared/version.ts';
import {
  compileOptions,
  type MasterOptions,
  type OptionSpelling,
  type PlanOptions,
} from './config/options.ts';
import type { Plan } from './config/plan.ts';
import type { PlacedPlan } from './config/plan-places.ts';
import { workingDirectory } from './config/working-directory.ts';
import type { Commands } from './control/commands.ts';
import { createCommands } from './control/create-commands.ts';
import { createEmbeddedMaster } from './create-embedded-master.ts';
import { deferred } from './deferred.ts';
import type { Master } from './embedded-master.ts';
import { createEventPublisher } from './event-publisher.ts';
import { recordVersion, type MasterRecord } from './handover/record.ts';
import { createUpgrades, type OwnImage } from './handover/upgrades.ts';
import { createLogFilesLoader } from './output/log-files-loader.ts';
import { standardError, standardOutput } from './output/standard-error.ts';
import { embeddedOutput } from './output/shared-output.ts';
import { createCounts } from './metrics/event-counts.ts';
import { createOperatorServers } from './operator-servers.ts';
import type { Platform } from './process/platform.ts';
import { system } from './process/system.ts';
import { masterStopped } from './program/history/reload-waiters.ts';
import type { AnnouncedSocket } from './sockets/announced-sockets.ts';
import { isNamedWhenBound } from './config/plan-names.ts';
import { openSockets } from './sockets/descriptors.ts';
import { findInheritedSockets } from './sockets/find-inherited-sockets.ts';
import { startFailed } from './program/worker-failures.ts';
import { masterEndAfter, type ProgramEnd } from './programs/exit-policy.ts';
import { memberStatus } from './programs/member-status.ts';
import { programStopped } from './programs/program-stopped.ts';
import { createUpdates } from './programs/updates.ts';
import { type Member, recordOf, resultOf } from './programs/member.ts';
import { createProgramSet } from './programs/program-set.ts';
import { stateFile } from './programs/state-file.ts';
import { createWantedPrograms } from './programs/wanted-programs.ts';

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
  /** What the previous image of this process has handed over; null if it was not replaced. */
  readonly resumed: MasterRecord | null;
  /** What replaces this program at an upgrade; null for a master inside another program. */
  readonly image: (() => Promise<OwnImage>) | null;
  /** How errors name the options. */
  readonly spelling: OptionSpelling;
  /** Reads the config file again; null if the plan is not from a file. Errors: `planInvalid`. */
  readonly readPlan: (() => Promise<PlacedPlan>) | null;
}

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
    resumed: null,
    image: null,
    spelling: 'code',
    readPlan: null,
    ...given,
  });
}

function assemble(
  first: Plan,
  { platform, environment, onStderr, onStdout, announced, logId, readPlan, resumed, image }: Surroundings,
): OwnedMaster {
  const startedAt = resumed?.startedAt ?? platform.clock.monotonicMs();
  const upgraded = resumed === null ? 0 : resumed.upgrades + 1;
  /** Forgotten once it is taken over: it is as large as everything that is kept of the output. */
  let handedOver = resumed;
  const inherited = findInheritedSockets(announced, openSockets());
  const counts = createCounts();
  const { publish, subscribe } = createEventPublisher(name, platform.clock, (event) => {
    counts.observe(event);
  });
  const ended = deferred<Failure | null>();
  let isStopping = false;
  let exitCode: number | null = null;
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
    privateFolder: () => servers.controlFolder(),
    onEvent: observe,
    publish,
    seenRunsFile: () => stateFile(`${name()}.runs`, environment),
    stopped: (action, program) =>
      isStopping || (isOfOneProgram && !staysUp(program))
        ? masterStopped(action)
        : programStopped(action, program),
    outlives: ({ restart }) => restart.onFatal === 'stay' || !(isOfOneProgram || restart.onFatal === 'exit'),
  });
  if (resumed === null) for (const program of first.programs) set.add(set.create(program));

  const wanted = createWantedPrograms({
    set,
    file: () => {
      if (updates.plan().master.remembers) return { path: stateFile(name(), environment), survivesEnd: true };
      // The folder of the control socket is empty after a reboot. Without a control socket, no operator can stop a program.
      const folder = servers.controlFolder();
      return folder === null || isOfOneProgram
        ? null
        : { path: join(folder, `${name()}.wanted`), survivesEnd: false };
    },
    isStopping: () => isStopping,
    publish,
  });

  const updates = createUpdates({
    set,
    first,
    environment,
    readPlan,
    wasStopped: (program) => !wanted.isWanted(program, true),
    isStopping: () => isStopping,
    publish,
  });

  const upgrades = createUpgrades({
    image,
    platform,
    record,
    unfinished: () => {
      if (isStopping) return 'the master is stopping';
      if (updates.isBusy()) return 'an update is under way';
      return set.unfinished() ?? (servers.isAnswering() ? 'a control request is being answered' : null);
    },
    suspendOutput: (isSuspended) => {
      for (const { program } of set.all()) program.suspendOutput(isSuspended);
    },
    isWritten: () => logFiles.loaded()?.isBusy() !== true,
    publish,
  });

  const commands = createCommands({
    set,
    upgrades,
    updates,
    wanted,
    counts,
    logFiles,
    clock: platform.clock,
    hasFile: readPlan !== null,
    isOfOneProgram,
    isStopping: () => isStopping,
    describeMaster,
    statusOf,
    publish,
    subscribe,
    shutDown: async (cause) => {
      stopAllAndFinish(cause, null);
      await ended.promise;
    },
  });

  const servers = createOperatorServers({
    environment,
    platform,
    plan: () => updates.plan().master,
    name,
    commands,
    keepsAlive: !isOfOneProgram,
    isWanted,
    publish,
  });

  /** Whether the master of one program lives on although that does not run: it is being restarted, or has failed and may be started again. */
  function staysUp(program: string): boolean {
    const member = set.find(program);
    return member.keepsListeners || member.program.plan().restart.onFatal === 'stay';
  }

  function name(): string {
    return updates.plan().master.name ?? set.all()[0]?.program.name() ?? 'graceful-run';
  }

  function observe({ program, isWanted }: Member, event: MasterEvent, time: number): void {
    if (event.event === 'reloadRequested') servers.restoreControl();
    publish(event, program.name(), time);
    updates.observe(event, program.name());
    if (event.event === 'stopped') programHasStopped({ plan: program.plan(), stopped: event, isWanted });
  }

  function programHasStopped(end: ProgramEnd): void {
    const masterEnd = masterEndAfter(end, { isOfOneProgram, isStopping });
    if (masterEnd === null) return;
    exitCode = masterEnd.exitCode ?? exitCode;
    if (masterEnd.stopsOthers) stopAllAndFinish('worker', end.stopped.failure);
    else void finish(end.stopped.failure);
  }

  async function open(): Promise<void> {
    if (!isOfOneProgram) await servers.openControl();
    else await openOnly(set.find(null));
    await servers.openMetrics();
    publish({ event: 'masterStarted', pid: process.pid, version, control: servers.controlPath() });
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
    if (!isNamedWhenBound(listener) || updates.plan().master.name !== null) await servers.openControl();
    await program.bind();
    await servers.openControl();
    await program.watch();
  }

  /** False once a stop was requested while the master starts: then it need not wait any longer. */
  function isWanted(): boolean {
    return !isStopping;
  }

  /** Stops every program, and then the master. */
  function stopAllAndFinish(cause: Cause, failure: Failure | null): void {
    isStopping = true;
    void set
      .stopAll(cause)
      .catch(noteBug)
      .then(async () => finish(failure));
  }

  let finishing: Promise<void> | null = null;
  async function finish(failure: Failure | null): Promise<void> {
    finishing ??= close().then(() => {
      ended.resolve(failure);
    });
    return finishing;
  }

  async function close(): Promise<void> {
    await Promise.all(set.all().map(async ({ program }) => program.close({ isEnd: true })));
    await lastLines();
    await set.written();
    await wanted.close();
    await servers.close();
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

  /** Takes over from the previous image of this process. */
  async function resume(before: MasterRecord): Promise<void> {
    if (before.afterMasterFd !== null) platform.inheritAfterMaster(before.afterMasterFd);
    ({ exitCode } = before);
    counts.resume(before.counts);
    updates.resume(before.unsettled);
    wanted.resume(before.runningOn);
    await servers.resumeControl(before);
    await wanted.open();
    await servers.resumeMetrics(before);
    for (const stream of before.leftStreams)
      platform.inheritLeftStream(stream, (bytes) => {
        onStderr(bytes, stream.worker, name(), true);
      });
    await set.resume(before.programs);
    const { version: from, node: nodeFrom, at } = before.writer;
    publish({
      event: 'masterUpgraded',
      pid: process.pid,
      from,
      version,
      nodeFrom,
      node: process.versions.node,
      durationMs: Math.round(platform.clock.monotonicMs() - at),
    });
  }

  async function start(): Promise<void> {
    if (handedOver !== null) {
      const taken = handedOver;
      handedOver = null;
      return resume(taken);
    }
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
      let { failure } = resultOf(await set.start(member).outcome);
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
    await wanted.open();
    const members = set
      .all()
      .filter(({ program }) => wanted.isWanted(program.name(), program.plan().autostart));
    // A program that an operator has stopped is not started for those that depend on it, either.
    const isLeftAlone = ({ program }: Member): boolean => !wanted.isWanted(program.name(), true);
    for (const member of set.all()) if (isLeftAlone(member)) member.program.keepStopped();
    // The result of each start is in the log.
    await set.startAll(members, isLeftAlone);
    if (!isWanted()) {
      await ended.promise;
      throw masterStopped();
    }
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
      upgrades: upgraded,
      node: process.versions.node,
    };
  }

  function statusOf(member: Member, hasLoad = false): Status {
    return memberStatus(member, {
      set,
      master: describeMaster(),
      at: platform.clock.monotonicMs(),
      hasLoad,
    });
  }

  /** Reports an unexpected error. */
  function noteBug(error: unknown): void {
    publish(internalError(error));
  }

  return {
    ...createEmbeddedMaster({
      set,
      commands,
      updates,
      wanted,
      environment,
      statusOf,
      start,
      subscribe,
      ended: ended.promise,
    }),
    commands,
    exitCode: () => exitCode,
    noteBug,
    record,
  };

  function record(): MasterRecord {
    return {
      version: recordVersion,
      writer: { version, node: process.versions.node, at: platform.clock.monotonicMs() },
      upgrades: upgraded,
      startedAt,
      logId,
      plan: updates.plan().master,
      unsettled: updates.unsettled(),
      programs: set.all().map(recordOf),
      runningOn: wanted.runningOn(),
      isStopping,
      exitCode,
      ...servers.record(),
      afterMasterFd: platform.afterMasterFd(),
      leftStreams: platform.leftStreams(),
      counts: counts.record(),
    };
  }
}
