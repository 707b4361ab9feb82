/**
 * Gets hold of the listeners of one program: for the first time, and whenever its plan changes. Waits for addresses that are in use, until the program is
 * told to stop. Takes them over from workers whose master was killed.
 */
import type { EventWithoutRelease } from '../../shared/events.ts';
import type { ListenerPlan, ProgramPlan } from '../config/plan.ts';
import type { Rescue } from '../handover/rescue.ts';
import type { Platform } from '../process/platform.ts';
import type { FoundSockets } from '../sockets/find-inherited-sockets.ts';
import { type HeldSockets, obtainSockets } from '../sockets/obtain-sockets.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import type { PreparedVersion, Versions } from './versions.ts';

/** Where a program looks for sockets before it binds any. */
export interface SocketOwners {
  /** The sockets for this address that another program holds; null if none does. */
  readonly lend?: (listener: ListenerPlan) => HeldSockets | null;
  /** Sockets that the master was started with. */
  readonly inherited?: Pick<FoundSockets, 'take' | 'inTheWay'>;
}

export interface ProgramListenersParts {
  readonly versions: Versions;
  readonly platform: Platform;
  readonly owners: SocketOwners;
  /** Loads what a plan needs, before its listeners are bound. */
  readonly load: (plan: ProgramPlan) => Promise<void>;
  readonly nextGeneration: () => number;
  readonly tell: (event: EventWithoutRelease) => void;
}

export interface ProgramListeners {
  /** Holds the listeners of the latest plan, also if it changes meanwhile. Errors: `addressInUse`, `addressUnusable`, and those of `load`. */
  bind(): Promise<void>;
  /** Holds the listeners that `plan` declares. Errors as bind(). */
  prepare(plan: ProgramPlan): Promise<PreparedVersion>;
  /** Call it when the program is told to stop: from then until the next bind() or prepare(), no address is waited for. */
  stopWaiting(): void;
  /** What was taken over from workers of a killed master; null if nothing was looked for. */
  rescue(): Rescue | null;
}

export function createProgramListeners(parts: ProgramListenersParts): ProgramListeners {
  const { versions, platform, owners, load, nextGeneration, tell } = parts;
  let isWanted = true;
  let rescue: Rescue | null = null;

  /** Loaded only if an address is in use. */
  async function loadRescue(): Promise<Rescue> {
    const { createRescue } = await import('../handover/rescue.ts');
    return (rescue ??= createRescue({ platform, tell }));
  }

  async function obtain(
    wanted: ListenerPlan,
    isStillPlanned: () => boolean = () => true,
  ): Promise<HeldSockets> {
    const canShare = !versions.latest().plan.reusePort;
    return obtainSockets(wanted, () => isWanted && isStillPlanned(), {
      lend: owners.lend,
      inherited: owners.inherited,
      rescue: async (address) => (await loadRescue()).take(address, canShare),
      platform,
      tell,
    });
  }

  return {
    async bind() {
      isWanted = true;
      // Binding a listener loads the system calls. Without one, they are loaded here.
      if (versions.latest().plan.listeners.length === 0) await loadSystemCalls();
      for (;;) {
        const { plan } = versions.latest();
        const isLatest = (): boolean => versions.latest().plan === plan;
        try {
          await load(plan);
          const prepared = await versions.prepare(plan, async (wanted) => obtain(wanted, isLatest));
          if (isLatest()) {
            prepared.commit(nextGeneration());
            return;
          }
          await prepared.discard();
        } catch (error) {
          if (isLatest()) throw error;
        }
      }
    },
    async prepare(plan) {
      isWanted = true;
      await load(plan);
      return versions.prepare(plan, async (wanted) => obtain(wanted));
    },
    stopWaiting() {
      isWanted = false;
    },
    rescue: () => rescue,
  };
}
