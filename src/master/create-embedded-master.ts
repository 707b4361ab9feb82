/** The embedding API of a master, over its commands. */
import type { Status } from '../shared/control-api.ts';
import type { Cause, EventRecord, Failure } from '../shared/events.ts';
import { compileOptions } from './config/options.ts';
import { noPlaces } from './config/plan-places.ts';
import { workingDirectory } from './config/working-directory.ts';
import type { Commands } from './control/commands.ts';
import type { Master } from './embedded-master.ts';
import type { Member } from './programs/member.ts';
import type { ProgramSet } from './programs/program-set.ts';
import type { Updates } from './programs/updates.ts';
import type { WantedPrograms } from './programs/wanted-programs.ts';

export interface EmbeddedMasterParts {
  readonly set: Pick<ProgramSet, 'all' | 'find'>;
  readonly commands: Commands;
  readonly updates: Pick<Updates, 'to'>;
  readonly wanted: Pick<WantedPrograms, 'keepUpdated'>;
  /** The environment of the programs, whose PWD names the working directory. */
  readonly environment: NodeJS.ProcessEnv;
  readonly statusOf: (member: Member) => Status;
  readonly start: () => Promise<void>;
  readonly subscribe: (listener: (event: EventRecord) => void) => () => void;
  readonly ended: Promise<Failure | null>;
}

export function createEmbeddedMaster(parts: EmbeddedMasterParts): Master {
  const { set, commands, updates, wanted, environment, statusOf, subscribe, ended } = parts;
  let starting: Promise<void> | null = null;

  function changeWorkerCount(change: number, program: string | null): void {
    const { program: own } = set.find(program);
    if (own.plan().kind.pidFile === null && (own.phase() === 'idle' || own.isRunning()))
      commands.scale({ program, change });
  }

  return {
    start: () => (starting ??= parts.start()),
    reload: async (cause = 'embedder') => commands.reload({ program: null, cause, wait: 'serving' }).outcome,
    promote: () => commands.promote({ program: null }),
    rollback: () => commands.rollback({ program: null }),
    stop: async (cause = 'embedder') => commands.shutDown({ cause }).done,
    changeWorkerCount: (change) => {
      changeWorkerCount(change, null);
    },
    status: () => statusOf(set.find(null)),
    programs: () => set.all().map((member) => statusOf(member)),
    program(name) {
      set.find(name);
      const command = (cause: Cause = 'embedder') => ({ program: name, cause, wait: 'serving' }) as const;
      return {
        start: async (cause) => commands.start(command(cause)).outcome,
        reload: async (cause) => commands.reload(command(cause)).outcome,
        promote: () => commands.promote({ program: name }),
        rollback: () => commands.rollback({ program: name }),
        restart: async (cause) => commands.restart(command(cause)).outcome,
        stop: async (cause) => commands.stop(command(cause)).done,
        changeWorkerCount: (change) => {
          changeWorkerCount(change, name);
        },
        status: () => statusOf(set.find(name)),
      };
    },
    async update(options) {
      const result = await updates.to({ cause: 'embedder', isDryRun: false }, async () =>
        Promise.resolve({
          plan: compileOptions(options, workingDirectory(environment)),
          places: noPlaces,
        }),
      );
      await wanted.keepUpdated(result);
      return result;
    },
    subscribe,
    ended,
  };
}
