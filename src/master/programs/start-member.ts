/**
 * Starts one program that waits for no other any longer: looks its command up, binds its listeners, watches its files, and starts its workers. When that
 * happens is decided by start-in-order.ts.
 */
import type { ReloadResult } from '../../shared/control-api.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { notStartedFailure } from '../program/worker-failures.ts';
import { createEventLoopTurns } from './event-loop-turns.ts';
import { type Member, settledStart, type StartOutcome } from './member.ts';

export interface MemberStarterParts {
  /** Has a member rest that has no worker. */
  readonly rest: (member: Member) => Promise<void>;
  /** The error for a request that a stop has overtaken. */
  readonly stopped: (action: string, program: string) => Error;
  /** Whether the master keeps running when a program with this plan has failed. */
  readonly outlives: (plan: ProgramPlan) => boolean;
}

export interface MemberStarter {
  /** Starts the member, which counts as running already. Resolves when it serves or, if it runs once, has ended; or when it is at rest again. */
  start(member: Member): Promise<StartOutcome>;
  /** The result of a start that was requested while a run was under way: that of the run. */
  throughItsRun(member: Member, begun: StartOutcome): Promise<StartOutcome>;
}

export function createMemberStarter({ rest, stopped, outlives }: MemberStarterParts): MemberStarter {
  const turn = createEventLoopTurns();

  /** Watches the files of a program that cannot be started: a change may be the repair. */
  async function watchForRepair({ program }: Member): Promise<void> {
    // If the watch fails too, the first reason is reported.
    if (outlives(program.plan())) await program.watch().catch(() => undefined);
  }

  async function check(member: Member): Promise<void> {
    const { program } = member;
    try {
      program.check();
    } catch {
      await watchForRepair(member);
      // Missing files may have appeared before the watch began.
      program.check();
    }
  }

  /** Prepares everything that the first worker needs. Errors: those of the program's check(), bind() and watch(). */
  async function bind(member: Member): Promise<void> {
    const { program } = member;
    // If the plan is changed in the meantime, the program has other listeners: then it begins again.
    for (let plan: ProgramPlan | null = null; plan !== program.plan();) {
      plan = program.plan();
      await check(member);
      await program.bind();
      await program.watch();
      await turn();
    }
  }

  /** The result of a program that runs once, which counts as started when it has ended. */
  async function endOfRun(member: Member, result: ReloadResult): Promise<StartOutcome> {
    const { program } = member;
    await member.rest.promise;
    if (!member.isWanted) return stopped('start', program.name());
    if (program.hasExitedAsExpected()) return result;
    const { lastCrash } = program.record().history;
    const failure = lastCrash?.generation === result.generation ? lastCrash.failure : null;
    return { ...result, ok: false, serving: null, failure };
  }

  return {
    async start(member) {
      const { program } = member;
      member.isBinding = true;
      try {
        await bind(member);
        member.isBinding = false;
      } catch (error) {
        if (member.isWanted) await watchForRepair(member);
        member.isBinding = false;
        // No worker will accept on listeners that were held for a restart.
        member.keepsListeners = false;
        if (member.isWanted) program.refuseStart(notStartedFailure(error));
        else await rest(member);
        await member.rest.promise;
        const { lastReload } = program.record().history;
        return (member.isWanted ? lastReload : null) ?? stopped('start', program.name());
      }
      // The program was stopped while it was being bound.
      if (!member.isWanted) {
        await rest(member);
        return stopped('start', program.name());
      }
      member.keepsListeners = false;
      const begun = await settledStart(program.start());
      if (begun instanceof Error) return begun;
      if (begun.ok && program.plan().kind.type === 'oneshot') return endOfRun(member, begun);
      // (A program whose start is repeated does not come to rest.)
      if (!begun.ok && program.phase() !== 'backoff') await member.rest.promise;
      return begun;
    },
    throughItsRun: async (member, begun) =>
      begun instanceof Error || !begun.ok || member.program.plan().schedule === null
        ? begun
        : endOfRun(member, begun),
  };
}
