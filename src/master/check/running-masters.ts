/** Asks the masters that run on this machine for this user which plan they run. */
import * as z from 'zod/mini';
import { routes } from '../../shared/control-api.ts';
import { askControl } from '../../shared/control-client.ts';
import { findControlSockets } from '../../shared/find-control-sockets.ts';

/** A master that answers at its control socket. */
export interface RunningMaster {
  /** The name of its control socket. */
  readonly name: string;
  readonly pid: number;
  /** The config file that the master runs, or null if its plan comes from the command line or from code. */
  readonly file: string | null;
  /** The ports and paths that its programs hold, as heldKey() writes them. */
  readonly held: readonly (number | string)[];
}

/** How long a master may take to answer. */
const patienceMs = 1_000;

const file = z.optional(z.nullable(z.string()));
const listeners = z.array(
  z.object({
    type: z.optional(z.string()),
    port: z.nullable(z.int()),
    path: z.optional(z.nullable(z.string())),
  }),
);
const programList = z.object({
  master: z.object({ pid: z.int(), file }),
  programs: z.array(z.object({ listeners })),
});
/** The status of a master of one program, in a form that masters of older versions of graceful-run have as well. */
const status = z.object({ master: z.object({ pid: z.int(), file }), listeners });

/** Finds all masters that answer at a socket in one of the folders. Those of other users are left out. */
export async function findRunningMasters(
  folders: readonly string[],
  uid: number,
): Promise<readonly RunningMaster[]> {
  // Problems of a directory are reported by another check.
  const found = await Promise.all(
    folders.map(async (folder) => findControlSockets([folder], uid).catch(() => [])),
  );
  const asked = await Promise.all(found.flat().map(({ name, path }) => ask(name, path)));
  return asked.filter((master) => master !== null);
}

async function ask(name: string, path: string): Promise<RunningMaster | null> {
  const list = read(programList, await get(path, routes.programs));
  if (list !== null)
    return {
      name,
      pid: list.master.pid,
      file: list.master.file ?? null,
      held: list.programs.flatMap((program) => program.listeners.flatMap(addressOf)),
    };
  const only = read(status, await get(path, routes.status));
  if (only === null) return null;
  const held = only.listeners.flatMap(addressOf);
  return { name, pid: only.master.pid, file: only.master.file ?? null, held };
}

function addressOf({ type, port, path }: z.infer<typeof listeners>[number]): readonly (number | string)[] {
  const address = port ?? path ?? null;
  return address === null ? [] : [heldKey(type ?? 'tcp', address)];
}

/** The form in which `held` has an address: TCP and UDP have ports of their own. */
export function heldKey(type: string, address: number | string): number | string {
  return type === 'udp' ? `udp:${address}` : address;
}

async function get(path: string, route: string): Promise<string | null> {
  const exchange = await askControl({ path, method: 'GET', route, timeoutMs: patienceMs });
  return 'answer' in exchange && exchange.answer.status === 200 ? exchange.answer.body : null;
}

function read<Value>(shape: z.ZodMiniType<Value>, body: string | null): Value | null {
  try {
    return body === null ? null : (shape.safeParse(JSON.parse(body)).data ?? null);
  } catch {
    return null;
  }
}
