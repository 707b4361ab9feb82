/** Runs programs by the clock: gives the schedule of each (schedule-step.ts) its inputs, and carries out its effects. Loaded only if a plan has a schedule. */
import type { MasterEvent } from '../../../shared/events.ts';
import type { Platform } from '../../process/platform.ts';
import type { Member } from '../member.ts';
import { cronTimes } from './cron-times.ts';
import { noSchedule, type ScheduleEffect, type ScheduleInput, stepSchedule } from './schedule-step.ts';
import type { SeenRuns } from './seen-runs.ts';

export interface SchedulesParts {
  readonly members: () => readonly Member[];
  readonly platform: Pick<Platform, 'arm' | 'armWall' | 'clock'>;
  /** Starts the program. Resolves when it serves, has ended, or has failed. */
  readonly start: (member: Member) => Promise<unknown>;
  /** Programs that the member depends on and that do not serve. */
  readonly waitsFor: (member: Member) => readonly string[];
  /** Whether every program was told to stop for good. */
  readonly isEnding: () => boolean;
  /** Whether programs that start with the master have not all started or failed yet. */
  readonly isBeginning: () => boolean;
  /** When previous masters have last looked for runs. */
  readonly seen: SeenRuns;
}

export interface Schedules {
  /**
   * Has to be called when something was started, stopped or changed, so that programs begin or cease to run by their schedules. `isFirst`: the master is
   * starting.
   */
  look(isFirst?: boolean): void;
  observe(member: Member, event: MasterEvent): void;
}

/** What is known of a program that runs by a schedule. */
interface Scheduled {
  /** The plan of the schedule, as text, when it was last examined. */
  readonly written: string;
  readonly next: (after: number) => number | null;
}

export function createSchedules({
  members,
  platform,
  start,
  waitsFor,
  isEnding,
  isBeginning,
  seen,
}: SchedulesParts): Schedules {
  const { clock } = platform;
  const scheduled = new Map<Member, Scheduled>();
  const timers = new Map<Member, () => void>();
  const timeouts = new Map<Member, () => void>();
  /** Programs whose runs may have been missed, and whose dependencies are only about to serve. */
  const heldBack = new Set<Member>();
  /** The results of runs whose programs do not rest yet. */
  const ends = new Map<Member, Extract<ScheduleInput, { type: 'ended' }>>();

  function feed(member: Member, input: ScheduleInput): void {
    const { schedule: plan } = member.program.plan();
    const next = scheduled.get(member)?.next ?? (() => null);
    const { state, effects } = stepSchedule(member.schedule ?? noSchedule, input, {
      // If the schedule was removed during a run, only the end of the run still has to be reported.
      plan: plan ?? {
        expression: '',
        timezone: null,
        ifRunning: 'skip',
        ifMissed: 'skip',
        runTimeoutMs: null,
      },
      next,
      waitsFor: waitsFor(member),
      wallMs: clock.wallMs(),
      monotonicMs: clock.monotonicMs(),
    });
    member.schedule = plan === null && state.run === null ? null : state;
    for (const effect of effects) obey(member, effect);
  }

  function obey(member: Member, effect: ScheduleEffect): void {
    switch (effect.type) {
      case 'arm':
        arm(member, effect.at);
        return;
      case 'disarm':
        cancel(timers, member);
        return;
      case 'armTimeout':
        cancel(timeouts, member);
        timeouts.set(
          member,
          platform.arm(effect.delayMs, () => {
            timeouts.delete(member);
            // If the run has ended in time, only its hooks still run.
            if (ends.get(member)?.run !== effect.run) feed(member, { type: 'timedOut', run: effect.run });
          }),
        );
        return;
      case 'disarmTimeout':
        cancel(timeouts, member);
        return;
      case 'startRun':
        void begin(member, effect.run);
        return;
      case 'stopRun':
        member.program.stop('schedule');
        return;
      case 'seen':
        if (member.program.plan().schedule?.ifMissed === 'run')
          seen.note(member.program.name(), clock.wallMs());
        else seen.forget(member.program.name());
        return;
      case 'announce':
        member.program.announce(effect.event);
    }
  }

  function arm(member: Member, at: number): void {
    cancel(timers, member);
    const [wallMs, monotonicMs] = [clock.wallMs(), clock.monotonicMs()];
    timers.set(
      member,
      platform.armWall(at, () => {
        timers.delete(member);
        const shiftMs = clock.wallMs() - wallMs - (clock.monotonicMs() - monotonicMs);
        feed(member, { type: 'due', shiftMs });
      }),
    );
  }

  async function begin(member: Member, run: number): Promise<void> {
    await start(member);
    await member.rest.promise;
    endRun(member, run);
  }

  /** Ends a run because the program rests. Its result is the one that was recorded, if there is one. */
  function endRun(member: Member, run: number): void {
    const end = ends.get(member);
    if (end?.run === run) ends.delete(member);
    feed(member, end?.run === run ? end : { type: 'rested', run });
  }

  function look(isFirst = false): void {
    const all = new Set(members());
    for (const member of all) {
      const { schedule: plan } = member.program.plan();
      const written = plan === null || !member.isWanted || isEnding() ? null : JSON.stringify(plan);
      const known = scheduled.get(member)?.written ?? null;
      if (written === known && !heldBack.has(member)) continue;
      const wasHeldBack = heldBack.delete(member);
      if (plan !== null && written !== null) {
        const isNew = isFirst || wasHeldBack;
        // A run may have become due while the master was being upgraded.
        const dueAt = known === null ? (member.schedule?.nextAt ?? null) : null;
        const stored = isNew && plan.ifMissed === 'run' ? seen.of(member.program.name()) : null;
        const since = dueAt === null ? stored : dueAt - 1;
        if (since !== null && isBeginning() && waitsFor(member).length > 0) {
          heldBack.add(member);
          continue;
        }
        scheduled.set(member, { written, next: cronTimes(plan) });
        feed(member, { type: 'enabled', since });
        continue;
      }
      feed(member, { type: 'disabled' });
      scheduled.delete(member);
      // An operator has stopped the program, so runs in the meantime are not missed.
      if (!isEnding()) seen.forget(member.program.name());
    }
    for (const member of [...scheduled.keys(), ...heldBack]) {
      if (all.has(member)) continue;
      heldBack.delete(member);
      cancel(timers, member);
      cancel(timeouts, member);
      scheduled.delete(member);
      seen.forget(member.program.name());
    }
  }

  return {
    look,
    observe(member, event) {
      if (member.program.plan().schedule === null && member.schedule === null) return;
      if (event.event === 'generationStarted') feed(member, { type: 'began' });
      const run = member.schedule?.run?.number;
      if (event.event !== 'stopped' || run === undefined) return;
      const { outcome, failure } = event;
      const isExpected = member.program.hasExitedAsExpected();
      const endedAt = clock.monotonicMs();
      ends.set(member, { type: 'ended', run, outcome, isExpected, hasFailed: failure !== null, endedAt });
      // The next run may begin only when the program rests.
      void member.rest.promise.then(() => {
        endRun(member, run);
      });
    },
  };
}

function cancel(timers: Map<Member, () => void>, member: Member): void {
  timers.get(member)?.();
  timers.delete(member);
}
