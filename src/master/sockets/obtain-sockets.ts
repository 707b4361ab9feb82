/** Where the sockets of a declared listener come from: another program holds them, the master was started with them, workers of a dead master have them, or they are bound. */
import type { MasterEvent } from '../../shared/events.ts';
import { addressFields } from '../../shared/format-address.ts';
import { bindPatienceMs } from '../config/options/fixed-bounds.ts';
import type { BindablePlan, ListenerPlan } from '../config/plan.ts';
import type { Platform } from '../process/platform.ts';
import { bindWithRetries } from './bind-with-retries.ts';
import type { FoundSockets } from './find-inherited-sockets.ts';
import type { BoundListener } from './listener.ts';

/** The sockets of one declared listener. */
export interface HeldSockets {
  readonly sockets: readonly BoundListener[];
  /** The listener that they were bound for, or were given to last, or null if that is not known. */
  readonly madeFor: ListenerPlan | null;
}

/** What happens while a listener is bound. */
type BindEvent = Extract<MasterEvent, { event: 'addressBusy' | 'addressLeftOut' | 'orphansKilled' }>;

export interface SocketSources {
  /** The sockets for this address that another program holds, or null if none does. */
  readonly lend: ((listener: ListenerPlan) => HeldSockets | null) | undefined;
  /** Sockets that the master was started with. */
  readonly inherited: Pick<FoundSockets, 'take' | 'inTheWay'> | undefined;
  /** The sockets at this address of workers whose master was killed; empty if there are none. */
  readonly rescue: (listener: BindablePlan) => Promise<readonly BoundListener[]>;
  readonly platform: Pick<Platform, 'clock' | 'arm' | 'killTree'>;
  readonly tell: (event: BindEvent) => void;
}

/**
 * The sockets for `wanted`, from the first of these sources that has them. An address in use is waited for while it `isWanted`. Errors: `addressInUse`,
 * `addressUnusable`.
 */
export async function obtainSockets(
  wanted: ListenerPlan,
  isWanted: () => boolean,
  { lend, inherited, rescue, platform, tell }: SocketSources,
): Promise<HeldSockets> {
  const lent = lend?.(wanted) ?? null;
  if (lent !== null) return lent;
  const given = (await inherited?.take(wanted)) ?? [];
  if (given.length > 0 || wanted.type === 'fd') return { sockets: given, madeFor: null };
  const address = addressFields(wanted);
  let rescued: readonly BoundListener[] = [];
  const sockets = await bindWithRetries(
    wanted,
    bindPatienceMs,
    isWanted,
    {
      busy: (patienceMs) => {
        tell({ event: 'addressBusy', ...address, patienceMs });
      },
      leftOut: (host) => {
        tell({ event: 'addressLeftOut', listener: wanted.name, ...address, address: host });
      },
      rescue: async () => {
        rescued = await rescue(wanted);
        return rescued;
      },
      inTheWay: () => inherited?.inTheWay(wanted) ?? null,
      killed: (pids) => {
        tell({ event: 'orphansKilled', port: address.port, path: address.path, pids });
      },
    },
    platform,
  );
  if (sockets !== rescued) return { sockets, madeFor: wanted };
  // What the dead master had asked of its sockets is not known, except for what the file of a UNIX socket shows.
  if (wanted.type !== 'unix') return { sockets, madeFor: null };
  const { planOfFile } = await import('./socket-file.ts');
  return { sockets, madeFor: planOfFile(wanted) };
}
