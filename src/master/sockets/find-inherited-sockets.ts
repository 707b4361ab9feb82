/** The sockets that this process was started with. The code for them is loaded only if there are any. */
import type { BindablePlan, ListenerPlan } from '../config/plan.ts';
import type { AnnouncedSocket } from './announced-sockets.ts';
import { inodesAt } from './address-holder.ts';
import { descriptorsOf, type OpenSockets } from './descriptors.ts';
import type { InheritedSocket, InheritedSockets } from './inherited-sockets.ts';
import { forListener } from './listener-error.ts';

export interface FoundSockets extends Pick<InheritedSockets, 'take' | 'look'> {
  strangers(plan: readonly ListenerPlan[]): Promise<readonly InheritedSocket[]>;
  /** The descriptor of a socket of the start that keeps the address from being bound; null if there is none. */
  inTheWay(wanted: BindablePlan): number | null;
}

/** Finds the inherited sockets. `open`: the sockets that the process had before it opened any of its own. */
export function findInheritedSockets(announced: readonly AnnouncedSocket[], open: OpenSockets): FoundSockets {
  let loaded: Promise<InheritedSockets> | null = null;

  async function load(): Promise<InheritedSockets> {
    const { readInheritedSockets } = await import('./inherited-sockets.ts');
    return readInheritedSockets(announced, open);
  }

  async function sockets(): Promise<InheritedSockets> {
    return (loaded ??= load());
  }

  const isNone = ({ type }: ListenerPlan): boolean => type !== 'fd' && announced.length === 0;
  return {
    take: async (wanted) =>
      isNone(wanted) ? [] : forListener(wanted, async () => (await sockets()).take(wanted)),
    look: async (wanted) => (isNone(wanted) ? [] : (await sockets()).look(wanted)),
    inTheWay: (wanted) => descriptorsOf(open, inodesAt(wanted))[0] ?? null,
    strangers: async (plan) => (announced.length === 0 ? [] : (await sockets()).strangers(plan)),
  };
}
