/** Asks every living master for its programs. */
import * as z from 'zod/mini';
import { routes } from '../../shared/control-api.ts';
import type { ControlRequest } from '../../shared/control-client.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { lookFor } from '../../shared/look-for-listener.ts';
import { parseJson, programList, readAnswer } from '../../shared/schemas/answer-schemas.ts';
import { ask, promptMs } from '../../shared/ask-master.ts';
import { findMasters, type FoundMaster, type Search } from './find-masters.ts';
import type { ListedMaster } from './listed-masters.ts';

/** Options of the request that is sent to masters. */
export interface Question {
  /** Whether to request the load of the workers, too. Default: false. */
  readonly hasLoad?: boolean;
  /** How long a master may take, in ms. Default: the limit for requests that it can answer at once. */
  readonly timeoutMs?: number;
  /** Aborts the request. */
  readonly signal?: AbortSignal | undefined;
}

/** Lists all masters of this user. They are asked at the same time. A master that ends before it has answered is left out. */
export async function listMasters(search: Search, question: Question = {}): Promise<readonly ListedMaster[]> {
  const masters = await findMasters(search);
  const listed = await Promise.all(masters.map(async (master) => listPrograms(master, question)));
  return listed.filter((master) => master !== null);
}

const rawList = z.object({ programs: z.array(z.record(z.string(), z.unknown())) });

/** Asks one master for its programs; null if it has ended since it was found. */
async function listPrograms(
  master: FoundMaster,
  { hasLoad = false, timeoutMs = promptMs, signal }: Question,
): Promise<ListedMaster | null> {
  const request: ControlRequest = {
    path: master.path,
    method: 'GET',
    route: hasLoad ? `${routes.programs}?load` : routes.programs,
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  };
  try {
    const { body } = await ask(`reach the master ${master.name}`, request, [200]);
    return { ...master, ...readAnswer(programList, body), raw: rawList.parse(parseJson(body)).programs };
  } catch (error) {
    if (!(error instanceof GracefulRunError)) throw error;
    return (await hasEnded(master, error)) ? null : { ...master, error };
  }
}

/** Whether the master has ended: it may refuse the connection, break it off, or report that it stops. */
async function hasEnded({ path }: FoundMaster, { code }: GracefulRunError): Promise<boolean> {
  return code === 'masterNotFound' || code === 'masterStopped' || (await lookFor(path)) === 'absent';
}
