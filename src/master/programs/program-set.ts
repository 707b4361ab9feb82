/**
 * The programs of one master: which there are, and what happens to all of them. Actions on one program never touch another one. When they start and stop
 * is decided by start-in-order.ts and stop-in-order.ts; a changed plan is applied by apply-plan.ts.
 */
import type { MasterEvent } from '../../shared/events.ts';
import { internalError } from '../../shared/internal-error.ts';
import type { ListenerPlan, ProgramPlan } from '../config/plan.ts';
import { deferred } from '../deferred.ts';
import { latestPlan, type ProgramRecord } from '../handover/record.ts';
import { createListenerResumer } from '../handover/resume-listeners.ts';
import type { ProgramParts } from '../program/managed-program.ts';
import { createProgram } from '../program/program.ts';
import type { HeldSockets } from '../sockets/obtain-sockets.ts';
import { findMember } from './find-member.ts';
import { byPriority, hasFailed, isScheduled, type Member } from './member.ts';
import { createSchedulesLoader } from './schedule/schedules-loader.ts';
import { createOrderedStarts, type OrderedStarts } from './start-in-order.ts';
import { createOrderedStops, type OrderedStops } from './stop-in-order.ts';

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

export interface ProgramSet extends OrderedStarts, OrderedStops {
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
   * Starts these programs with the master, but those with a schedule only when that says so. Resolves when each of the others serves, has failed, or waits
   * for one that has.
   */
  startAll(members: readonly Member[], isLeftAlone: (dependency: Member) => boolean): Promise<void>;
  /** Has the member run by its schedule from now on. */
  schedule(member: Member): Promise<void>;
  /** Has to be called after a change of plans: starts what waits for no other any longer, and looks at the schedules. */
  advance(): void;
  /** Resolves when the state that outlives the master is written. */
  written(): Promise<void>;
}

export function createProgramSet(parts: ProgramSetParts): ProgramSet {
  let members: readonly Member[] = [];
  /** Whether programs that start with the master have not all started or failed yet. */
  let isBeginning = false;

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
        if (hasFailed(member)) starts.start(member);
        else if (member.isWanted && !member.isResting) starts.restart(member, 'watch');
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

  const { stops, isEnding } = createOrderedStops({
    members: () => members,
    nowMs: () => parts.platform.clock.monotonicMs(),
    stopped: parts.stopped,
    onStop: lookAtSchedules,
  });
  const starts = createOrderedStarts({
    members: () => members,
    isEnding,
    rest,
    stopped: parts.stopped,
    outlives: parts.outlives,
    emit: (member, event) => {
      observe(member, event, parts.platform.clock.wallMs());
    },
    onStart: lookAtSchedules,
  });
  const schedules = createSchedulesLoader({
    members: () => members,
    platform: parts.platform,
    // The dependencies of the program serve already.
    start: async (member) => starts.start(member, undefined, () => true).outcome,
    waitsFor: (member) => starts.waitsFor(member),
    isEnding,
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

  /** Starts what waits for no other any longer. While the programs begin, that may be a scheduled run that was missed. */
  function advance(): void {
    starts.advance();
    if (isBeginning) lookAtSchedules();
  }

  function lookAtSchedules(): void {
    inBackground(schedules.look());
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

  return {
    ...starts,
    ...stops,
    all: () => members,
    find: (name) => findMember(members, name),
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
      lookAtSchedules();
      member.program.endLogs();
      await member.program.close();
    },
    arrange(names) {
      const at = ({ program }: Member): number => names.indexOf(program.name());
      members = [...members].sort((one, other) => at(one) - at(other));
    },
    async startAll(wanted, isLeftAlone) {
      for (const member of wanted.filter(isScheduled)) member.isWanted = true;
      const others = byPriority(wanted.filter((member) => !isScheduled(member)));
      isBeginning = true;
      await Promise.all([
        schedules.look(true),
        ...others.map(async (member) => starts.start(member, undefined, isLeftAlone).outcome),
      ]);
      isBeginning = false;
      await schedules.look();
    },
    async schedule(member) {
      member.isWanted = true;
      await schedules.look();
    },
    advance() {
      starts.advance();
      lookAtSchedules();
    },
    written: async () => schedules.written(),
  };
}
