/** The commands of a master: what each of them does with its programs, and when it is refused. It does not know how they arrive. */
import type { MasterStatus, ReloadResult, Status, UpdateResult } from '../../shared/control-api.ts';
import type { Cause, EventRecord, MasterEvent } from '../../shared/events.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Counts } from '../metrics/event-counts.ts';
import type { LogFilesLoader } from '../output/log-files-loader.ts';
import { masterStopped } from '../program/history/reload-waiters.ts';
import { hasEnded, isScheduled, type Member, resultOf } from '../programs/member.ts';
import type { ProgramSet } from '../programs/program-set.ts';
import type { StartUnderWay } from '../programs/start-in-order.ts';
import { programStopped } from '../programs/program-stopped.ts';
import { createReloadAll } from '../programs/reload-all.ts';
import { nothingToReload } from '../programs/schedule/nothing-to-reload.ts';
import type { Upgrades } from '../handover/upgrades.ts';
import type { Updates } from '../programs/updates.ts';
import type { WantedPrograms } from '../programs/wanted-programs.ts';
import type { Commands, ReloadUnderWay, UpdateCommand } from './commands.ts';

export interface CommandParts {
  readonly set: ProgramSet;
  readonly updates: Pick<Updates, 'fromFile'>;
  readonly upgrades: Upgrades;
  readonly wanted: WantedPrograms;
  readonly counts: Pick<Counts, 'all'>;
  readonly logFiles: Pick<LogFilesLoader, 'loaded'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Whether the plan is from a file, which can be read again. */
  readonly hasFile: boolean;
  /** Whether the master lives no longer than its only program. */
  readonly isOfOneProgram: boolean;
  readonly isStopping: () => boolean;
  readonly describeMaster: () => MasterStatus;
  readonly statusOf: (member: Member, hasLoad?: boolean) => Status;
  readonly publish: (event: MasterEvent) => void;
  readonly subscribe: (listener: (event: EventRecord) => void) => () => void;
  /** Stops every program and then the master; resolves when it has ended. */
  readonly shutDown: (cause: Cause) => Promise<void>;
}

export function createCommands(parts: CommandParts): Commands {
  const { set, updates, wanted, isOfOneProgram, isStopping, describeMaster, statusOf } = parts;

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
      const { renderMetrics } = await import('../metrics/render.ts');
      return renderMetrics({ master: describeMaster(), programs, counts: parts.counts.all() });
    },
    start({ program }) {
      const member = running('start', program);
      wanted.startRequested(member.program.name());
      return keepingWanted(underWay(set.start(member)));
    },
    restart({ program, cause }) {
      const member = running('restart', program);
      wanted.startRequested(member.program.name());
      return keepingWanted(underWay(set.restart(member, cause)));
    },
    reload({ program, ...command }) {
      const member = running('reload', program);
      if (isScheduled(member)) return nothingToReload(member.program.nextGeneration(), parts.clock.wallMs());
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
      const done = Promise.all([stopped, wanted.keep()]).then(() => undefined);
      return { accepted: { pid: process.pid }, done };
    },
    shutDown: ({ cause }) => ({ accepted: { pid: process.pid }, done: parts.shutDown(cause) }),
    update,
    async upgrade({ cause }) {
      if (isStopping()) throw masterStopped('upgrade');
      return parts.upgrades.upgrade(cause);
    },
    reloadAll: createReloadAll({
      set,
      isOfOneProgram,
      update: parts.hasFile ? async (cause) => (await update({ cause, isDryRun: false })).programs : null,
      reload: (program, cause) => commands.reload({ program, cause, wait: 'serving' }),
    }),
    async reopenLogs() {
      const reopened = (await parts.logFiles.loaded()?.reopen()) ?? { paths: [], problems: [] };
      parts.publish({ event: 'logsReopened', ...reopened });
    },
    logs: ({ program, ...request }, signal) => set.find(program).program.logs(request, signal),
    subscribe: (listener, of) => {
      const name = of === undefined ? null : set.find(of.program).program.name();
      if (name === null) return parts.subscribe(listener);
      return parts.subscribe((event) => {
        if (event.program === name) listener(event);
      });
    },
  };

  async function update(command: UpdateCommand): Promise<UpdateResult> {
    const result = await updates.fromFile(command);
    if (!command.isDryRun) await wanted.keepUpdated(result);
    return result;
  }

  /** Delays the outcome of a request until the state that it asks for is stored. */
  function keepingWanted({ accepted, outcome }: ReloadUnderWay): ReloadUnderWay {
    const kept = wanted.keep();
    return { accepted, outcome: stored() };

    async function stored(): Promise<ReloadResult> {
      try {
        return await outcome;
      } finally {
        await kept;
      }
    }
  }

  /** Finds the program, and refuses an action that only a running one can take. */
  function running(action: string, program: string | null): Member {
    if (isStopping()) throw masterStopped(action);
    const member = set.find(program);
    const phase = member.program.phase();
    const isWaiting = isScheduled(member) && member.isWanted;
    const isAtRest = (phase === 'stopped' || phase === 'idle') && !isWaiting;
    if (isAtRest && !isOfOneProgram && action !== 'start' && action !== 'restart')
      throw programStopped(action, member.program.name());
    return member;
  }

  return commands;
}

function underWay({ generation, outcome }: StartUnderWay): ReloadUnderWay {
  return { accepted: { generation }, outcome: outcome.then(resultOf) };
}
