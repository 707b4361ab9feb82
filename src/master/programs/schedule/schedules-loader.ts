/** The schedules of one master's programs. Their code is loaded when a plan first has one. */
import type { MasterEvent } from '../../../shared/events.ts';
import type { Member } from '../member.ts';
import type { Schedules, SchedulesParts } from './schedules.ts';
import type { SeenRuns } from './seen-runs.ts';

export interface SchedulesLoader {
  /** Has to be called when something was started, stopped or changed. `isFirst`: the master is starting. */
  look(isFirst?: boolean): Promise<void>;
  observe(member: Member, event: MasterEvent): void;
  /** Resolves when the times of runs are written to their file. */
  written(): Promise<void>;
}

export interface SchedulesLoaderParts extends Omit<SchedulesParts, 'seen'> {
  /** The file that stores the time of the last check for runs. */
  readonly seenRunsFile: () => string;
  /** Publishes events about that file. */
  readonly publish: (event: MasterEvent) => void;
}

export function createSchedulesLoader({
  seenRunsFile,
  publish,
  ...parts
}: SchedulesLoaderParts): SchedulesLoader {
  let schedules: Schedules | null = null;
  let seen: SeenRuns | null = null;
  let loading: Promise<void> | null = null;

  async function load(): Promise<void> {
    const [{ createSchedules }, { openSeenRuns }] = await Promise.all([
      import('./schedules.ts'),
      import('./seen-runs.ts'),
    ]);
    seen = await openSeenRuns(seenRunsFile(), publish);
    schedules = createSchedules({ ...parts, seen });
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
    async written() {
      await seen?.written();
    },
  };
}
