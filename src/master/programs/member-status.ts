/** What the status of a program shows: the program itself, and its place among the others. */
import type { MasterStatus, Status } from '../../shared/control-api.ts';
import { describeStatus } from '../program/describe-status.ts';
import type { Member } from './member.ts';
import type { ProgramSet } from './program-set.ts';
import { describeSchedule } from './schedule/describe-schedule.ts';

export interface StatusSurroundings {
  readonly set: Pick<ProgramSet, 'waitsFor'>;
  readonly master: MasterStatus;
  /** The present moment, in the time of `Clock.monotonicMs`. */
  readonly at: number;
  /** Whether the status includes the load of the workers. */
  readonly hasLoad: boolean;
}

export function memberStatus(member: Member, { set, master, at, hasLoad }: StatusSurroundings): Status {
  const { program, isWanted } = member;
  const waitsFor = isWanted && !program.isServing() ? set.waitsFor(member) : [];
  return describeStatus(program.record(), {
    master,
    group: program.plan().group?.name ?? null,
    isWanted,
    waitsFor,
    isAboutToStart: member.isBinding || (member.isDue && waitsFor.length === 0),
    orphans: program.orphans(),
    openOf: (worker) => program.openOf(worker),
    schedule: describeSchedule(program.plan().schedule, member.schedule),
    load: hasLoad ? { of: program.loadOf, served: program.served() } : null,
    at,
  });
}
