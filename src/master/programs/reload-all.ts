/** Reloads every program: reads the config file again first, and starts what has failed. The results are reported as events. */
import type { UpdatedProgram } from '../../shared/control-api.ts';
import type { Cause } from '../../shared/events.ts';
import { type Deferred, deferred } from '../deferred.ts';
import { hasFailed } from './member.ts';
import type { ProgramSet } from './program-set.ts';
import { createEventLoopTurns } from './event-loop-turns.ts';

export interface ReloadAllParts {
  readonly set: ProgramSet;
  /** Whether the master lives no longer than its only program. */
  readonly isOfOneProgram: boolean;
  /** Reads the config file again and applies it; null if the plan is not from a file. */
  readonly update: ((cause: Cause) => Promise<readonly UpdatedProgram[]>) | null;
  /** Reloads this program, or starts it if it has failed. Null: the only program. */
  readonly reload: (program: string | null, cause: Cause) => { readonly outcome: Promise<unknown> };
}

/**
 * Returns the function that reloads everything. A request that arrives while another one waits is merged into that: it reads the file, and asks every
 * program, after both requests.
 */
export function createReloadAll({
  set,
  isOfOneProgram,
  update,
  reload,
}: ReloadAllParts): (request: { readonly cause: Cause }) => Promise<void> {
  const turn = createEventLoopTurns();
  /** The request that waits until the one before has asked every program; null if there is none. */
  let waiting: Promise<void> | null = null;
  let allAsked: Promise<unknown> = Promise.resolve();

  /** Reloads every program. `asked` is resolved when every program has been asked. */
  async function reloadEach(cause: Cause, asked: Deferred<undefined>): Promise<void> {
    const updated = update === null ? [] : await update(cause);
    const fresh = updated.filter(({ done }) => done !== 'changed').map(({ program }) => program);
    const old = set.all().filter(({ program }) => !fresh.includes(program.name()));
    // Programs that are to run and have failed get another chance.
    const requests = isOfOneProgram
      ? []
      : old.filter(hasFailed).map(async (member) => settled(() => set.start(member)));
    for (const { program } of old.filter((one) => one.program.isServing())) {
      if (!isOfOneProgram) await turn();
      requests.push(settled(() => reload(program.name(), cause)));
    }
    if (isOfOneProgram && requests.length === 0) requests.push(settled(() => reload(null, cause)));
    asked.resolve(undefined);
    await Promise.all(requests);
  }

  return async ({ cause }) => {
    const asked = deferred<undefined>();
    waiting ??= allAsked.then(async () => {
      waiting = null;
      allAsked = asked.promise;
      try {
        await reloadEach(cause, asked);
      } finally {
        asked.resolve(undefined);
      }
    });
    return waiting;
  };
}

/** Waits for a request, and ignores its result: events report it. */
async function settled(ask: () => { readonly outcome: Promise<unknown> }): Promise<void> {
  try {
    await ask().outcome;
  } catch {
    // A stop came first.
  }
}
