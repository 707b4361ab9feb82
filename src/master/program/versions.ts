/**
 * The plans that the generations of one program run, each with the listeners that it declares. A generation keeps its plan for its whole life, so
 * that a worker of it that crashes is replaced by one like it, even while a changed plan proves itself. Two versions that declare the
 * same address share its socket, which is never closed in between.
 */
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress } from '../../shared/format-address.ts';
import { declaredName } from '../../shared/protocol.ts';
import { isSameAddress } from '../config/difference.ts';
import type { ListenerPlan, ProgramPlan, TcpOptions } from '../config/plan.ts';
import { isSame } from '../config/same-data.ts';
import type { VersionRecord } from '../handover/record.ts';
import type { ResumeListener } from '../handover/resume-listeners.ts';
import { createFittedListeners, type FittedListeners } from '../sockets/fitted-listeners.ts';
import type { UndoFit } from '../sockets/fit-sockets.ts';
import { listenerOfQueue, type BoundListener } from '../sockets/listener.ts';
import type { HeldSockets } from '../sockets/obtain-sockets.ts';

export interface Version {
  /** The first generation that runs this version. */
  readonly from: number;
  readonly plan: ProgramPlan;
  /** The listeners in the order in which workers inherit them. Empty while nothing is bound. Changed in place when addresses are fitted. */
  readonly listeners: BoundListener[];
  readonly fitted: FittedListeners;
}

/** Listeners for a plan, bound and not yet in use. */
export interface PreparedVersion {
  /** Puts the version into use: generations from this number on run it. */
  commit(from: number): void;
  /** Closes the sockets that were bound for the version, and restores the options of the others. */
  discard(): Promise<void>;
}

export interface Versions {
  latest(): Version;
  /** The version that this generation runs. */
  of(generation: number): Version;
  /** All versions that are not forgotten. */
  all(): readonly Version[];
  /** The listeners of a worker, in the order in which it inherits them. Errors: `addressUnusable`, if its queue had no socket yet. */
  listenersOf(worker: { readonly generation: number; readonly queue: number }): readonly BoundListener[];
  /** The listeners that are held for any version. */
  listeners(): readonly BoundListener[];
  /** Shares the sockets that are held for this address; null if there are none. `isOwn`: the program itself asks, for its next version. */
  share(wanted: ListenerPlan, isOwn: boolean): HeldSockets | null;
  /**
   * Holds every listener of `plan`: those that are held already are shared and get the options of the plan, and the others come from `bind`. After an
   * error, nothing that was held before has changed.
   */
  prepare(
    plan: ProgramPlan,
    bind: (listener: ListenerPlan) => Promise<HeldSockets>,
  ): Promise<PreparedVersion>;
  /**
   * Gives generations from `from` on another plan. They have the same listeners if the plan declares the same ones, and otherwise none until it is
   * prepared.
   */
  amend(plan: ProgramPlan, from: number): void;
  /** Forgets versions before the latest one that no generation runs any more, and closes their listeners. */
  retire(isRun: (version: Version, until: number) => boolean): void;
  /** Puts the versions of the previous image of this process into use, instead of the first one. Errors: `upgradeFailed`. */
  resume(records: readonly VersionRecord[], resumeListener: ResumeListener): Promise<void>;
  /** Called when all listeners were closed. */
  forgetListeners(): void;
  close(): void;
}

export function createVersions(first: ProgramPlan, onBound: (listener: BoundListener) => void): Versions {
  let versions: readonly Version[] = [versionOf(first, 1, [])];

  function versionOf(plan: ProgramPlan, from: number, listeners: BoundListener[]): Version {
    return {
      from,
      plan,
      listeners,
      fitted: createFittedListeners(listeners, onBound, (name) => optionsIn(plan, name)),
    };
  }

  function latest(): Version {
    const last = versions.at(-1);
    if (last === undefined) throw new Error('a program has a plan from the beginning');
    return last;
  }

  function share(wanted: ListenerPlan, isOwn: boolean): HeldSockets | null {
    // The latest version comes first. An earlier one may hold more: after a release that failed, the old one still serves, with its listeners.
    for (const { plan, listeners } of versions.toReversed()) {
      // Port 0 stands for another port each time: a port that the kernel has chosen belongs to the listener's name.
      const before = plan.listeners.find(
        (one) =>
          isSameAddress(one, wanted) &&
          (!('port' in one) || one.port !== 0 || (isOwn && one.name === wanted.name)),
      );
      if (before === undefined) continue;
      const held = listeners.filter((one) => declaredName(one) === before.name);
      if (held.length === 0) continue;
      const sockets = held.map((one) =>
        one.share({
          name: renamed(one.name, before.name, wanted.name),
          backlog: wanted.backlog,
          standsFor: one.standsFor === null ? null : wanted.name,
        }),
      );
      return { sockets, madeFor: before };
    }
    return null;
  }

  const versionAt = (generation: number): Version =>
    versions.findLast(({ from }) => from <= generation) ?? latest();

  return {
    share,
    latest,
    of: versionAt,
    all: () => versions,
    listenersOf: ({ generation, queue }) =>
      versionAt(generation).listeners.map((listener) => listenerOfQueue(listener, queue)),
    listeners: () => versions.flatMap(({ listeners }) => listeners),
    async prepare(plan, bind) {
      const listeners: BoundListener[] = [];
      const fits: UndoFit[] = [];
      const discard = async (): Promise<void> => {
        for (const undo of fits.splice(0).reverse()) await undo();
        for (const listener of listeners) listener.close();
      };
      try {
        for (const wanted of plan.listeners) {
          const held = share(wanted, true) ?? (await bind(wanted));
          listeners.push(...held.sockets);
          refuseTwins(listeners);
          if (held.madeFor !== null && changeableOf(held.madeFor) === changeableOf(wanted)) continue;
          const { fitSockets } = await import('../sockets/fit-sockets.ts');
          fits.push(await fitSockets(held.sockets, held.madeFor, wanted));
        }
        // At least two, so that the kernel is directed before clients come. A candidate's socket, or that of a second worker, joins later.
        const count = Math.max(2, plan.workers);
        if (plan.reusePort) await Promise.all(listeners.map(async ({ slots }) => slots.open(count)));
      } catch (error) {
        await discard();
        throw error;
      }
      return {
        commit(from) {
          // A version that no generation has run yet, or that holds nothing, is replaced.
          const kept = versions.filter((one) => one.from < from && one.listeners.length > 0);
          for (const one of versions) if (!kept.includes(one)) closeAll(one);
          versions = [...kept, versionOf(plan, from, listeners)];
        },
        discard,
      };
    },
    amend(plan, from) {
      const last = latest();
      const hasSameListeners = isSame(plan.listeners, last.plan.listeners);
      versions =
        hasSameListeners || last.listeners.length === 0
          ? [...versions.slice(0, -1), { ...last, plan }]
          : [...versions, versionOf(plan, from, [])];
    },
    retire(isRun) {
      const kept = versions.filter((one, index) => {
        const next = versions[index + 1];
        return next === undefined || isRun(one, next.from);
      });
      for (const one of versions) if (!kept.includes(one)) closeAll(one);
      versions = kept;
    },
    async resume(records, resumeListener) {
      const resumed: Version[] = [];
      for (const { from, plan, listeners } of records) {
        const held: BoundListener[] = [];
        for (const listener of listeners) held.push(await resumeListener(listener));
        const version = versionOf(plan, from, held);
        // No address is fitted any more once a generation serves.
        if (!held.some(({ isUndecided }) => isUndecided)) version.fitted.decided();
        resumed.push(version);
      }
      versions = resumed;
    },
    forgetListeners() {
      versions = [versionOf(latest().plan, latest().from, [])];
    },
    close() {
      for (const one of versions) closeAll(one);
    },
  };
}

/** A version as plain data. */
export function recordOf({ from, plan, listeners }: Version): VersionRecord {
  return {
    from,
    plan,
    listeners: listeners.map((listener) => ({
      name: listener.name,
      address: listener.address,
      backlog: listener.backlog,
      fd: listener.fd,
      isUndecided: listener.isUndecided,
      standsFor: listener.standsFor,
      hostName: listener.hostName ?? null,
      isInherited: listener.isInherited === true,
      file: listener.file ?? null,
      slots: listener.slots.isOpen()
        ? { fds: listener.slots.otherFds(), group: listener.slots.group() }
        : null,
    })),
  };
}

function optionsIn({ listeners }: ProgramPlan, name: string): TcpOptions | undefined {
  const listener = listeners.find((one) => one.name === name);
  return listener?.type === 'tcp' ? listener.options : undefined;
}

/** The parts of a listener's plan that can be changed while its socket is held, as text that can be compared. */
function changeableOf(listener: ListenerPlan): string {
  const options = 'options' in listener ? (listener.options ?? null) : null;
  const file = listener.type === 'unix' ? [listener.mode, listener.owner] : [];
  return JSON.stringify([listener.backlog, options, ...file]);
}

/** Refuses two listeners with the same socket: an inherited one may be meant by its name, its address and its descriptor. Errors: `addressUnusable`. */
function refuseTwins(listeners: readonly BoundListener[]): void {
  const names = new Map<number, string>();
  for (const listener of listeners) {
    const [name, first] = [declaredName(listener), names.get(listener.fd)];
    if (first !== undefined && first !== name)
      throw new GracefulRunError(
        'addressUnusable',
        `cannot listen on ${formatSocketAddress(listener.address)} for the listener ${name}: it is the same socket as that of ${first}`,
        { hint: 'declare each socket once' },
      );
    names.set(listener.fd, name);
  }
}

/** The new name of a socket whose listener is renamed. Further sockets of a listener have its name as their beginning. */
function renamed(name: string, before: string, after: string): string {
  return name.startsWith(before) ? `${after}${name.slice(before.length)}` : name;
}

function closeAll({ listeners }: Version): void {
  for (const listener of listeners) listener.close();
}
