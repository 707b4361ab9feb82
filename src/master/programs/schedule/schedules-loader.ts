/** The schedules of the programs of one master: their code is loaded when a plan has the first of them. */
import type { MasterEvent } from '../../../shared/events.ts';
import type { Member } from '../member.ts';
import type { Schedules, SchedulesParts } from './schedules.ts';

export interface SchedulesLoader {
  /** Something was started, stopped or changed. `isFirst`: with the master. */
  look(isFirst?: boolean): Promise<void>;
  observe(member: Member, event: MasterEvent): void;
}

export interface SchedulesLoaderParts extends Omit<SchedulesParts, 'seen'> {
  /** Where is kept when runs were looked for. */
  readonly seenRunsFile: () => string;
  /** What has happened to that file. */
  readonly publish: (event: MasterEvent) => void;
}

export function createSchedulesLoader({
  seenRunsFile,
  publish,
  ...parts
}: SchedulesLoaderParts): SchedulesLoader {
  let schedules: Schedules | null = null;
  let loading: Promise<void> | null = null;

  async function load(): Promise<void> {
    const [{ createSchedules }, { openSeenRuns }] = await Promise.all([
      import('./schedules.ts'),
      import('./seen-runs.ts'),
    ]);
    schedules = createSchedules({ ...parts, seen: await openSeenRuns(seenRunsFile(), publish) });
  }

  return {
    async look(isFirst = false) {
      if (schedules === null) {
        if (!parts.members().some(({ program }) => program.plan().schedule !== null)) return;
        loading ??= load();
        await loading;
      }
      schedules?.look(isFirst);
    },
    observe(member, event) {
      schedules?.observe(member, event);
    },
  };
}
