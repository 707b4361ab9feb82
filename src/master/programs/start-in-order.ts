/**
 * When the programs of a master start: each after those that it depends on, and those whose priority is a lower number first. How one is
 * started is in start-member.ts.
 */
import { GracefulRunError } from '../../shared/errors.ts';
import { describeWait } from '../../shared/describe-event.ts';
import type { Cause, MasterEvent } from '../../shared/events.ts';
import { deferred } from '../deferred.ts';
import { findMember } from './find-member.ts';
import {
  byPriority,
  dependentsOf,
  isDone,
  isScheduled,
  type Member,
  settledStart,
  type StartOutcome,
} from './member.ts';
import { createMemberStarter, type MemberStarterParts } from './start-member.ts';
import { withDependencies } from './start-order.ts';

export interface StartUnderWay {
  /** The number of the generation that the start leads to. */
  readonly generation: number;
  readonly outcome: Promise<StartOutcome>;
}

export interface OrderedStarts {
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
  /** Stops the member's workers, holds its listeners, and starts it again. */
  restart(member: Member, cause: Cause): StartUnderWay;
  /** Starts the programs that are due and wait for no other. */
  advance(): void;
  /** The programs that have to serve before this one is started, and do not. */
  waitsFor(member: Member): readonly string[];
  /** Resolves when no start is under way, other than those of `except`. A program that waits for a failed one does not count. */
  whenStarted(except?: readonly Member[]): Promise<void>;
}

export interface OrderedStartsParts extends MemberStarterParts {
  readonly members: () => readonly Member[];
  /** Whether no program is to be started any more. */
  readonly isEnding: () => boolean;
  /** Emits the event of a program that is to be started, but waits for others. */
  readonly emit: (member: Member, event: MasterEvent) => void;
  /** Called by every start(), unless no program is to be started any more. */
  readonly onStart: () => void;
}

export function createOrderedStarts(parts: OrderedStartsParts): OrderedStarts {
  const { members, stopped } = parts;
  const starter = createMemberStarter(parts);
  /** The starts that are under way. */
  const launches = new Map<Promise<void>, Member>();

  function waitsFor({ program }: Member): readonly string[] {
    return program
      .plan()
      .dependsOn.filter((name) => !members().some((one) => one.program.name() === name && isDone(one)));
  }

  function isOneshot(name: string): boolean {
    return members().some(({ program }) => program.name() === name && program.plan().kind.type === 'oneshot');
  }

  function start(
    member: Member,
    isAllBegun: Promise<unknown> = Promise.resolve(),
    isLeftAlone: (dependency: Member) => boolean = () => false,
  ): StartUnderWay {
    if (parts.isEnding())
      return {
        generation: member.program.nextGeneration(),
        outcome: Promise.resolve(stopped('start', member.program.name())),
      };
    for (const name of withDependencies(member.program.name(), dependentsOf(members()))) {
      const one = findMember(members(), name);
      // A oneshot that has run already does not run again for programs that depend on it.
      if (one === member || !(isDone(one) || isLeftAlone(one))) want(one);
    }
    const generation = member.isDue ? member.program.nextGeneration() : member.program.startedGeneration();
    const outcome = outcomeOf(member, isAllBegun);
    advance();
    parts.onStart();
    return { generation, outcome };
  }

  function want(member: Member): void {
    member.isWanted = true;
    const hasToBegin = member.isResting || member.program.phase() === 'stopping';
    if (!hasToBegin || member.isDue) return;
    member.isDue = true;
    // The previous start may still have to report its result to its own callers.
    member.starts = [];
    const waiting = waitsFor(member);
    if (waiting.length === 0) return;
    const oneshots = waiting.filter(isOneshot);
    parts.emit(member, {
      event: 'startWaits',
      programs: waiting,
      ...(oneshots.length === 0 ? {} : { oneshots }),
    });
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

  function advance(): void {
    for (const member of byPriority(members())) {
      if (!member.isDue || !member.isResting || waitsFor(member).length > 0) continue;
      member.isDue = false;
      member.isResting = false;
      member.rest = deferred();
      const launching = launch(member).finally(() => launches.delete(launching));
      launches.set(launching, member);
    }
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
      if (!member.isWanted) return stopped('restart', program.name());
      return start(member).outcome;
    })();
    return { generation, outcome };
  }

  async function whenStarted(except: readonly Member[] = []): Promise<void> {
    for (;;) {
      // No program depends on a scheduled run, which may be long.
      const counted = [...launches].filter(([, member]) => !except.includes(member) && !isScheduled(member));
      // Programs that begin as soon as their last workers are gone.
      const ends = members().filter(
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

  return { start, restart, advance, waitsFor, whenStarted };
}
