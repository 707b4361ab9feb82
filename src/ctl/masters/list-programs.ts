/** Asks every living master for its programs. */
import * as z from 'zod/mini';
import { type ProgramList, routes } from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { parseJson, programList, readAnswer } from '../../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from '../../shared/ask-master.ts';
import { findMasters, type FoundMaster, type Search } from './find-masters.ts';

export type ListedMaster = AnsweringMaster | SilentMaster;

export interface AnsweringMaster extends FoundMaster, ProgramList {
  /** The status of each program as the master wrote it, with what this version does not know. */
  readonly raw: readonly Readonly<Record<string, unknown>>[];
}

/** It runs, but gives no answer, or none that can be understood. */
export interface SilentMaster extends FoundMaster {
  readonly error: GracefulRunError;
}

export function isAnswering(master: ListedMaster): master is AnsweringMaster {
  return 'programs' in master;
}

/** All masters of this user, asked at once. `hasLoad`: with what the workers do. */
export async function listMasters(search: Search, hasLoad = false): Promise<readonly ListedMaster[]> {
  const masters = await findMasters(search);
  return Promise.all(masters.map(async (master) => listPrograms(master, hasLoad)));
}

const rawList = z.object({ programs: z.array(z.record(z.string(), z.unknown())) });

async function listPrograms(master: FoundMaster, hasLoad: boolean): Promise<ListedMaster> {
  const route = hasLoad ? `${routes.programs}?load` : routes.programs;
  const request = { path: master.path, method: 'GET', route, timeoutMs: promptMs } as const;
  try {
    const { body } = await ask(`reach the master ${master.name}`, request, [200]);
    return { ...master, ...readAnswer(programList, body), raw: rawList.parse(parseJson(body)).programs };
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    return { ...master, error };
  }
}
