/**
 * The programs of one master. Starts them in the order of their dependencies, stops them in the reverse order, and finds them by name. Actions on one
 * program never touch another one. A changed plan is applied by apply-plan.ts.
 */
import { GracefulRunError } from '../../shared/errors.ts';
import { describeWait } from '../../shared/describe-event.ts';
import type { Cause, MasterEvent } from '../../shared/events.ts';
import { internalError } from '../../shared/internal-error.ts';
import { nearest } from '../../shared/nearest.ts';
import { sameStopMs } from '../config/options/fixed-bounds.ts';
import type { ListenerPlan, ProgramPlan } from '../config/plan.ts';
import { deferred } from '../deferred.ts';
import { latestPlan, type ProgramRecord } from '../handover/record.ts';
import { createListenerResumer } from '../handover/resume-listeners.ts';
import type { ProgramParts } from '../program/managed-program.ts';
import { createProgram } from '../program/program.ts';
import type { HeldSockets } from '../sockets/obtain-sockets.ts';
import {
  byPriority,
  hasFailed,
  isDone,
  isScheduled,
  type Member,
  settledStart,
  type StartOutcome,
} from './member.ts';
import { createSchedulesLoader } from './schedule/schedules-loader.ts';
import { createMemberStarter } from './start-member.ts';
import { type Dependent, dependentsFirst, rankOf, withDependencies } from './start-order.ts';

export interface StartUnderWay {
  /** The number of the generation that the start leads to. */
  readonly generation: number;
  readonly outcome: Promise<StartOutcome>;
}

export interface ProgramSetParts extends Omit<
  ProgramParts,
  'plan' | 'onEvent' | 'onStderr' | 'onStdout' | 'stopped' | 'lend' | 'onRestartWanted' | 'tree'
> {
  /** Called with the bytes that the worker of `program` with this pid writes to stderr, in whole lines. */
  readonly onStderr: (bytes: Uint8Array, pid: number, program: string, hasPrefix: boolean) => void;
  /** As `onStderr`, for a stdout that is forwarded. */
  readonly onStdout: (bytes: Uint8Array, pid: number, program: string, hasPrefix: boolean) => void;
  readonly onEvent: (member: Member, event: MasterEvent, wallMs: number) => void;
  /** Publishes an event that is not about a program. */
  readonly publish: (event: MasterEvent) => void;
  /** The file that stores the time of the last check for runs, in ms since 1970. */
  readonly seenRunsFile: () => string;
  /** The error for a request that arrives when the master stops. */
  readonly stopped: (action: string, program: string) => Error;
  /** Whether the master keeps running when a program with this plan has failed. */
  readonly outlives: (plan: ProgramPlan) => boolean;
}

export interface ProgramSet {
  /** The programs in the order of the plan. */
  all(): readonly Member[];
  /** The program with this name; null finds the only one. @throws GracefulRunError `programNotFound`; `programAmbiguous` for null if there are several. */
  find(name: string | null): Member;
  /** Makes a program that is not in the set yet: only its maker can start it. */
  create(plan: ProgramPlan): Member;
  /** Takes over all programs from the previous image of this process. Errors: `upgradeFailed`, `logFileUnusable`. */
  resume(programs: readonly ProgramRecord[]): Promise<void>;
  /** What is under way that cannot be handed over to another image of this process, in a few words; null if that is nothing. */
  unfinished(): string | null;
  add(member: Member): void;
  /** Removes a program. It has to be at rest, or must never have been added. */
  remove(member: Member): Promise<void>;
  /** Puts the programs into the order of these names. */
  arrange(names: readonly string[]): void;
  /**
   * Starts the member and everything that it depends on, if they do not run. `outcome` resolves when the member serves or has failed, or when no start is
   * under way any more and a dependency does not serve. A member that runs starts its workers that wait for their restart. `isAllBegun`: other programs
   * are about to be started too, and all of them are once this resolves. `isLeftAlone`: whether a dependency is not to be started.
   */
  start(
    member: Member,
    isAllBegun?: Promise<unknown>,
    isLeftAlone?: (dependency: Member) => boolean,
  ): StartUnderWay;
  /**
   * Starts these programs with the master, but those with a schedule only when that says so. Resolves when each of the others serves, has failed, or waits
   * for one that has.
   */
  startAll(members: readonly Member[], isLeftAlone: (dependency: Member) => boolean): Promise<void>;
  /** Has the member run by its schedule from now on. */
  schedule(member: Member): Promise<void>;
  /** Stops the member's workers, holds its listeners, and starts it again. */
  restart(member: Member, cause: Cause): StartUnderWay;
  /** Stops the member. Resolves when it is at rest. A second call kills its workers. */
  stop(member: Member, cause: Cause): Promise<void>;
  /** As stop(), but a program that already drains continues to drain. */
  end(member: Member, cause: Cause): Promise<void>;
  /**
   * Stops the member so that it can be started again with another plan. Resolves when it is at rest. It stays wanted, unless an operator stops it in the
   * meantime.
   */
  suspend(member: Member, cause: Cause): Promise<void>;
  /** Stops all programs, each after those that depend on it, and starts none from now on. A second call kills all workers. */
  stopAll(cause: Cause): Promise<void>;
  /** Starts programs that do not have to wait any longer, after a change of plans. */
  advance(): void;
  /** The programs that have to serve before this one is started, and do not. */
  waitsFor(member: Member): readonly string[];
  /** Resolves when no start is under way, other than those of `except`. A program that waits for a failed one does not count. */
  whenStarted(except?: readonly Member[]): Promise<void>;
  /** Resolves when the state that outlives the master is written. */
  written(): Promise<void>;
}

export function createProgramSet(parts: ProgramSetParts): ProgramSet {
  let members: readonly Member[] = [];
  /** Whether programs that start with the master have not all started or failed yet. */
  let isBeginning = false;
  /** The starts that are under way. */
  const launches = new Map<Promise<void>, Member>();
  /** Whether all programs were told to stop for good. `since`: when that was; null if they were not. `isUrgent`: they were told a second time. */
  const ending: { since: number | null; isUrgent: boolean } = { since: null, isUrgent: false };
  const starter = createMemberStarter({ rest, stopped: parts.stopped, outlives: parts.outlives });

  function create(plan: ProgramPlan, resumed: ProgramRecord | null = null): Member {
    const program = createProgram({
      environment: parts.environment,
      platform: parts.platform,
      privateFolder: parts.privateFolder,
      logFiles: parts.logFiles,
      ...(parts.inherited === undefined ? {} : { inherited: parts.inherited }),
      plan,
      ...(resumed === null ? {} : { tree: resumed.tree }),
      lend,
      onStderr: (bytes, pid, hasPrefix) => {
        parts.onStderr(bytes, pid, program.name(), hasPrefix);
      },
      onStdout: (bytes, pid, hasPrefix) => {
        parts.onStdout(bytes, pid, program.name(), hasPrefix);
      },
      stopped: (action) => parts.stopped(action, program.name()),
      onEvent: (event, wallMs) => {
        observe(member, event, wallMs);
      },
      onRestartWanted: () => {
        if (hasFailed(member)) start(member);
        else if (member.isWanted && !member.isResting) restart(member, 'watch');
      },
    });
    const member: Member = {
      program,
      isWanted: resumed?.isWanted ?? false,
      isDue: resumed?.isDue ?? false,
      isResting: resumed?.isResting ?? true,
      isBinding: false,
      isSuspended: resumed?.isSuspended ?? false,
      keepsListeners: resumed?.keepsListeners ?? false,
      starts: [],
      rest: deferred(),
      schedule: resumed?.schedule ?? null,
    };
    if (member.isResting) member.rest.resolve(undefined);
    return member;
  }

  const schedules = createSchedulesLoader({
    members: () => members,
    platform: parts.platform,
    // The dependencies of the program serve already.
    start: async (member) => start(member, undefined, () => true).outcome,
    waitsFor,
    isEnding: () => ending.since !== null,
    isBeginning: () => isBeginning,
    seenRunsFile: parts.seenRunsFile,
    publish: parts.publish,
  });

  function observe(member: Member, event: MasterEvent, wallMs: number): void {
    parts.onEvent(member, event, wallMs);
    schedules.observe(member, event);
    if (event.event === 'stopped' && !member.isBinding) inBackground(rest(member));
    if (event.event === 'generationReady') advance();
  }

  function noteBug(error: unknown): void {
    parts.publish(internalError(error));
  }

  function inBackground(work: Promise<unknown>): void {
    work.catch(noteBug);
  }

  async function rest(member: Member): Promise<void> {
    const { program, isWanted } = member;
    // A changed file may repair a program that was given up.
    if (!isWanted || !member.keepsListeners)
      await program.close({ keepsWatch: isWanted && program.phase() === 'failed' }).catch(noteBug);
    member.isSuspended = false;
    member.isResting = true;
    member.rest.resolve(undefined);
    advance();
  }

  /** The sockets for an address that another program holds: after a change of the plan, it may do so until it lets go of them. */
  function lend(wanted: ListenerPlan): HeldSockets | null {
    for (const { program } of members) {
      const lent = program.lend(wanted);
      if (lent !== null) return lent;
    }
    return null;
  }

  function find(name: string | null): Member {
    if (name === null) {
      const [only] = members;
      if (only !== undefined && members.length === 1) return only;
      throw new GracefulRunError('programAmbiguous', `cannot choose among ${members.length} programs`, {
        hint: `name one of ${members.map(({ program }) => program.name()).join(', ')}`,
      });
    }
    const found = members.find(({ program }) => program.name() === name);
    if (found !== undefined) return found;
    const names = members.map(({ program }) => program.name());
    const meant = nearest(name, names);
    throw new GracefulRunError(
      'programNotFound',
      `cannot find the program ${name}: this master has no program of that name`,
      {
        hint: meant === null ? `its programs are ${names.join(', ')}` : `did you mean ${meant}?`,
      },
    );
  }

  function dependents(): readonly Dependent[] {
    return members.map(({ program }) => ({
      name: program.name(),
      dependsOn: program.plan().dependsOn,
      priority: rankOf(program.plan()),
    }));
  }

  function waitsFor({ program }: Member): readonly string[] {
    return program
      .plan()
      .dependsOn.filter((name) => !members.some((one) => one.program.name() === name && isDone(one)));
  }

  function isOneshot(name: string): boolean {
    return members.some(({ program }) => program.name() === name && program.plan().kind.type === 'oneshot');
  }

  function start(
    member: Member,
    isAllBegun: Promise<unknown> = Promise.resolve(),
    isLeftAlone: (dependency: Member) => boolean = () => false,
  ): StartUnderWay {
    if (ending.since !== null)
      return {
        generation: member.program.nextGeneration(),
        outcome: Promise.resolve(parts.stopped('start', member.program.name())),
      };
    for (const name of withDependencies(member.program.name(), dependents())) {
      const one = find(name);
      // A oneshot that has run already does not run again for programs that depend on it.
      if (one === member || !(isDone(one) || isLeftAlone(one))) want(one);
    }
    const generation = member.isDue ? member.program.nextGeneration() : member.program.startedGeneration();
    const outcome = outcomeOf(member, isAllBegun);
    advance();
    inBackground(schedules.look());
    return { generation, outcome };
  }

  function want(member: Member): void {
    member.isWanted = true;
    const isEnding = member.isResting || member.program.phase() === 'stopping';
    if (!isEnding || member.isDue) return;
    member.isDue = true;
    // The previous start may still have to report its result to its own callers.
    member.starts = [];
    const waiting = waitsFor(member);
    if (waiting.length === 0) return;
    const oneshots = waiting.filter(isOneshot);
    observe(
      member,
      { event: 'startWaits', programs: waiting, ...(oneshots.length === 0 ? {} : { oneshots }) },
      parts.platform.clock.wallMs(),
    );
  }

  async function outcomeOf(member: Member, isAllBegun: Promise<unknown>): Promise<StartOutcome> {
    const { program } = member;
    if (!member.isDue && program.isServing())
      return starter.throughItsRun(member, await settledStart(program.serveAgain()));
    const isLaunched = !member.isDue && ![...launches.values()].includes(member);
    const phase = program.phase();
    if (isLaunched && phase === 'backoff') return settledStart(program.start());
    if (isLaunched && phase === 'starting')
      return starter.throughItsRun(member, await settledStart(program.nextStart()));
    const started = deferred<StartOutcome>();
    member.starts.push(started);
    const isOver = isAllBegun.then(async () => whenStarted()).then(() => null);
    const outcome = await Promise.race([started.promise, isOver]);
    const waiting = waitsFor(member);
    if (outcome !== null || waiting.length === 0) return outcome ?? started.promise;
    const at = member.starts.indexOf(started);
    if (at !== -1) member.starts.splice(at, 1);
    return new GracefulRunError(
      'programStopped',
      `cannot start ${program.name()}: it ${describeWait(waiting, waiting.filter(isOneshot))}`,
      { hint: `see why with gracefulctl status ${waiting[0] ?? ''}` },
    );
  }

  /** Starts the programs that are due and wait for no other. */
  function advance(): void {
    for (const member of byPriority(members)) {
      if (!member.isDue || !member.isResting || waitsFor(member).length > 0) continue;
      member.isDue = false;
      member.isResting = false;
      member.rest = deferred();
      const launching = launch(member).finally(() => launches.delete(launching));
      launches.set(launching, member);
    }
    if (isBeginning) inBackground(schedules.look());
  }

  async function launch(member: Member): Promise<void> {
    const { starts } = member;
    const outcome = await starter.start(member);
    for (const waiting of starts.splice(0)) waiting.resolve(outcome);
  }

  function restart(member: Member, cause: Cause): StartUnderWay {
    const { program } = member;
    // The program is about to have new workers anyway.
    if (member.isResting || member.isBinding || program.phase() === 'stopping') return start(member);
    const generation = program.nextGeneration();
    member.isWanted = true;
    member.keepsListeners = true;
    const ended = member.rest.promise;
    program.stop(cause, { keepsListeners: true });
    const outcome = (async (): Promise<StartOutcome> => {
      await ended;
      if (!member.isWanted) return parts.stopped('restart', program.name());
      return start(member).outcome;
    })();
    return { generation, outcome };
  }

  async function stop(member: Member, cause: Cause, how?: { readonly isUrgent: boolean }): Promise<void> {
    member.isWanted = false;
    member.isDue = false;
    inBackground(schedules.look());
    for (const waiting of member.starts) waiting.resolve(parts.stopped('start', member.program.name()));
    member.starts = [];
    const isStoppingAnyway = member.isSuspended && how?.isUrgent !== true;
    member.isSuspended = false;
    if (!isStoppingAnyway) member.program.stop(cause, how);
    await member.rest.promise;
  }

  async function suspend(member: Member, cause: Cause): Promise<void> {
    if (!member.isWanted || member.isBinding || isScheduled(member)) {
      const { isWanted } = member;
      await end(member, cause);
      member.isWanted = isWanted;
      return;
    }
    member.isDue = false;
    for (const waiting of member.starts.splice(0))
      waiting.resolve(parts.stopped('start', member.program.name()));
    if (member.program.phase() !== 'stopping') {
      member.isSuspended = true;
      member.program.stop(cause);
    }
    await member.rest.promise;
  }

  async function end(member: Member, cause: Cause): Promise<void> {
    const isEnding = !member.isWanted && member.program.phase() === 'stopping';
    await (isEnding ? member.rest.promise : stop(member, cause));
  }

  async function stopAll(cause: Cause): Promise<void> {
    const now = parts.platform.clock.monotonicMs();
    if (ending.since === null) {
      ending.since = now;
      for (const member of members) member.isDue = false;
    } else if (cause !== 'signal' || now - ending.since >= sameStopMs) {
      ending.isUrgent = true;
      for (const member of members)
        if (member.program.phase() === 'stopping') void stop(member, cause, { isUrgent: true });
    }
    await dependentsFirst(dependents(), async (name) => {
      // An update may have removed the program while others ended.
      const member = members.find(({ program }) => program.name() === name);
      if (member === undefined) return;
      const ended = end(member, cause);
      if (ending.isUrgent && member.program.phase() === 'stopping')
        void stop(member, cause, { isUrgent: true });
      await ended;
    });
  }

  async function whenStarted(except: readonly Member[] = []): Promise<void> {
    for (;;) {
      // No program depends on a scheduled run, which may be long.
      const counted = [...launches].filter(([, member]) => !except.includes(member) && !isScheduled(member));
      // Programs that begin as soon as their last workers are gone.
      const ends = members.filter(
        (member) =>
          member.isDue &&
          !member.isResting &&
          !except.includes(member) &&
          !isScheduled(member) &&
          waitsFor(member).length === 0,
      );
      if (counted.length + ends.length === 0) return;
      await Promise.all([
        ...counted.map(async ([launching]) => launching),
        ...ends.map(async (member) => member.rest.promise),
      ]);
    }
  }

  return {
    all: () => members,
    find,
    create: (plan) => create(plan),
    async resume(programs) {
      members = programs.map((record) => create(latestPlan(record), record));
      const resumeListener = createListenerResumer();
      for (const [at, record] of programs.entries())
        // What one program cannot take over must not end the others.
        await members[at]?.program.resume(record, resumeListener).catch(noteBug);
      advance();
      await schedules.look();
    },
    unfinished() {
      for (const { program, isBinding } of members) {
        const what = isBinding ? `${program.name()} is starting` : program.unfinished();
        if (what !== null) return what;
      }
      return null;
    },
    add(member) {
      members = [...members, member];
    },
    async remove(member) {
      members = members.filter((one) => one !== member);
      inBackground(schedules.look());
      member.program.endLogs();
      await member.program.close();
    },
    arrange(names) {
      const at = ({ program }: Member): number => names.indexOf(program.name());
      members = [...members].sort((one, other) => at(one) - at(other));
    },
    start,
    async startAll(wanted, isLeftAlone) {
      for (const member of wanted.filter(isScheduled)) member.isWanted = true;
      const others = byPriority(wanted.filter((member) => !isScheduled(member)));
      isBeginning = true;
      await Promise.all([
        schedules.look(true),
        ...others.map(async (member) => start(member, undefined, isLeftAlone).outcome),
      ]);
      isBeginning = false;
      await schedules.look();
    },
    async schedule(member) {
      member.isWanted = true;
      await schedules.look();
    },
    restart,
    stop: async (member, cause) => stop(member, cause),
    end,
    suspend,
    stopAll,
    advance() {
      advance();
      inBackground(schedules.look());
    },
    waitsFor,
    whenStarted,
    written: async () => schedules.written(),
  };
}
