/**
 * Takes the listeners of a master that was killed over from its workers, which go on serving for a while (`rescue`). A new generation of this master then
 * serves beside them, on the same sockets, and they are told to drain: clients notice as little as at a reload. How the sockets are copied is in
 * copy-orphan-sockets.ts, how the workers are told in tell-orphans.ts.
 */
import { closeSync, openSync } from 'node:fs';
import type { Status } from '../../shared/control-api.ts';
import type { MasterEvent } from '../../shared/events.ts';
import { addressFields } from '../../shared/format-address.ts';
import { readAllProcesses, stillRuns } from '../../shared/process-stat.ts';
import { beyondDrainMs } from '../config/options/fixed-bounds.ts';
import type { BindablePlan } from '../config/plan.ts';
import { findAfterMaster } from '../process/after-master.ts';
import { type OrphanedWorker, readOrphanedWorker } from '../process/orphaned-worker.ts';
import type { Platform } from '../process/platform.ts';
import type { BoundListener } from '../sockets/listener.ts';
import { holdersAt } from '../sockets/orphans-at.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { lockFile } from '../system-calls/descriptor-calls.ts';
import { takeListeners } from './copy-orphan-sockets.ts';
import { isTold, keyOf, mastersOfTold, tellToDrain } from './tell-orphans.ts';

type RescueEvent = Extract<MasterEvent, { event: 'listenerRescued' | 'orphansDrained' | 'orphansKilled' }>;

export interface RescueParts {
  readonly platform: Pick<
    Platform,
    'clock' | 'findNode' | 'findServing' | 'signalProcess' | 'killTree' | 'arm'
  >;
  readonly tell: (event: RescueEvent) => void;
}

export interface Rescue {
  /**
   * The sockets for an address that is in use, from workers whose master was killed; empty if it is not such workers alone that have it. If their sockets
   * cannot be taken over, they are told to drain, so that the address becomes free.
   */
  take(wanted: BindablePlan, canShare: boolean): Promise<readonly BoundListener[]>;
  /**
   * Called when a generation serves: the workers of the dead master drain, and are killed if they take longer than they may. Those whose sockets another
   * program has taken over as well serve until that serves, too.
   */
  relieve(): void;
  /** Called when the program is stopped: the workers of the dead master are told to drain, unless another program needs them. */
  stop(): void;
  /** Called when this master ends. Workers that still serve go on until their time is over. Then the script of their dead master tells them to drain. */
  leave(): void;
  /** The workers of the dead master that serve, until a generation does or their time is over; null if there are none. */
  orphans(): Status['orphans'];
  /** What the workers of the dead master still do. Null if this master has nothing more to do with them: before that, it cannot be replaced by another image. */
  unfinished(): 'serve' | 'drain' | null;
}

/** An address at which sockets were taken over, and the workers there that were not told to drain yet. */
interface Awaited {
  readonly address: BindablePlan;
  readonly orphans: readonly OrphanedWorker[];
  /** When their time is over, in the time of `Clock.monotonicMs`. */
  readonly until: number;
}

/** Of all programs of this process. */
const awaited = new Set<Awaited>();

/** The dead masters whose other servers this process sees to. */
const relievedMasters = new Set<number>();

/** How long another master may hold the lock of a worker: it copies a few descriptors, and looks at the processes of the machine. */
const lockPatienceMs = 2_000;
const lockRetryMs = 10;

const timeIsOver = 'their time is over, and no new generation serves yet';

/** A script that was told something else in the same second may take the two in the wrong order. So it is told again after this time. */
const tellAgainMs = 2_500;

export function createRescue({ platform, tell }: RescueParts): Rescue {
  /** Those of this program. */
  const own = new Set<Awaited>();
  /** Those of this program that serve for the rest of their time, because the listeners were closed before a generation served. */
  const left = new Set<Awaited>();
  /** Those of this program that were told to drain, and that this master kills if they take too long. */
  const draining = new Set<Awaited>();

  async function take(wanted: BindablePlan, canShare: boolean): Promise<readonly BoundListener[]> {
    if (process.platform !== 'linux') return [];
    const [first] = aloneAt(wanted);
    if (first === undefined) return [];
    await loadSystemCalls();
    const lock = await lockOrphan(first);
    try {
      return lock === null ? [] : await takeLocked(wanted, canShare);
    } finally {
      if (lock !== null) closeSync(lock);
    }
  }

  /** Takes the sockets over while no other master can. */
  async function takeLocked(wanted: BindablePlan, canShare: boolean): Promise<readonly BoundListener[]> {
    // The master that had the lock before has the sockets now.
    const orphans = aloneAt(wanted);
    if (orphans.length === 0) return [];
    const keys = new Set(orphans.map(keyOf));
    const now = platform.clock.monotonicMs();
    const before = [...left].filter((one) => one.orphans.some((orphan) => keys.has(keyOf(orphan))));
    const until = Math.min(
      now + Math.max(...orphans.map(({ rescueMs }) => rescueMs)),
      ...before.map((one) => one.until),
    );
    const rescued = { address: wanted, orphans, until };
    const listeners = await takeListeners(orphans, wanted, canShare, {
      isServedElsewhere: () => hasWorkers(rescued),
      closed: () => {
        if (own.delete(rescued)) left.add(rescued);
      },
    });
    signalScripts(orphans, 'SIGUSR1');
    if (typeof listeners === 'string') {
      drain(orphans, `their socket cannot be taken over: ${listeners}`);
      return [];
    }
    own.add(rescued);
    awaited.add(rescued);
    for (const one of before) {
      left.delete(one);
      forget(one);
    }
    for (const master of new Set(orphans.map((one) => one.master))) tellOthersLater(master);
    platform.arm(tellAgainMs, () => {
      if (own.has(rescued) || left.has(rescued)) signalScripts(orphans, 'SIGUSR1');
    });
    platform.arm(Math.max(0, until - now), () => {
      giveUp(rescued);
    });
    tell({
      event: 'listenerRescued',
      listener: wanted.name,
      ...addressFields(wanted),
      pids: orphans.map(({ process: { pid } }) => pid),
    });
    return listeners;
  }

  /**
   * Locks the worker against other masters, and against other programs of this one, with flock(2) on a file that only those can open who may look into the
   * worker. Null if that fails.
   */
  async function lockOrphan({ process: { pid } }: OrphanedWorker): Promise<number | null> {
    let fd;
    try {
      fd = openSync(`/proc/${pid}/environ`, 'r');
    } catch {
      return null; // It has ended.
    }
    for (let patience = lockPatienceMs; patience > 0; patience -= lockRetryMs) {
      if ((await lockFile(fd)) !== 'held') return fd;
      await new Promise<void>((resolve) => {
        platform.arm(lockRetryMs, resolve);
      });
    }
    closeSync(fd);
    return null;
  }

  /**
   * Sees to the other servers of the dead master, whose script leaves all of them to this one: those whose sockets no program of this master takes over are
   * told when their time is over.
   */
  function tellOthersLater(master: number): void {
    if (relievedMasters.has(master)) return;
    relievedMasters.add(master);
    const servers = readAllProcesses()
      .flatMap(({ pid }) => readOrphanedWorker(pid) ?? [])
      .filter((one) => one.master === master && one.listeners.length > 0);
    for (const servesMs of new Set(servers.map(({ rescueMs }) => rescueMs)))
      platform.arm(servesMs, () => {
        const due = servers.filter(({ rescueMs }) => rescueMs === servesMs);
        drain(freeOf(due), timeIsOver, false);
      });
  }

  function forget(rescued: Awaited): void {
    own.delete(rescued);
    awaited.delete(rescued);
  }

  /** Those of these workers that no other program of this master needs. */
  function freeOf(orphans: readonly OrphanedWorker[]): readonly OrphanedWorker[] {
    const needed = new Set([...awaited].flatMap((one) => one.orphans.map(keyOf)));
    return orphans.filter((one) => !needed.has(keyOf(one)));
  }

  /** The entries of `left` whose sockets no other master has taken over meanwhile. (That master tells the workers.) */
  function stillLeft(): readonly Awaited[] {
    return [...left].filter(({ address }) => holdersAt(address).others.length === 0);
  }

  /** Handles the end of the time that the workers have. Node.js has noticed it by itself. */
  function giveUp(rescued: Awaited): void {
    const isKnown = own.has(rescued) || stillLeft().includes(rescued);
    left.delete(rescued);
    forget(rescued);
    if (!isKnown) return;
    drain(freeOf(rescued.orphans), timeIsOver, false);
  }

  /** Tells the shell scripts of the dead masters who tells the workers to drain: SIGUSR1, this master does; SIGUSR2, the scripts do. */
  function signalScripts(orphans: readonly OrphanedWorker[], signal: 'SIGUSR1' | 'SIGUSR2'): void {
    for (const pid of findAfterMaster(new Set(orphans.map(({ master }) => master))))
      platform.signalProcess(pid, signal);
  }

  function drain(orphans: readonly OrphanedWorker[], problem: string | null, tellsNode = true): void {
    const pids = tellToDrain(orphans, tellsNode, platform);
    if (pids.length > 0) tell({ event: 'orphansDrained', pids, problem });
  }

  function killLate({ address, orphans }: Awaited): void {
    const late = orphans.map(({ process: one }) => one).filter(stillRuns);
    if (late.length === 0) return;
    for (const { pid } of late) platform.killTree(pid);
    const { port, path } = addressFields(address);
    tell({ event: 'orphansKilled', port, path, pids: late.map(({ pid }) => pid) });
  }

  /** Tells the workers to drain, except those that another program needs. Kills those that have not ended after their drain timeout. */
  function release(all: readonly Awaited[], problem: string | null): void {
    for (const one of all) forget(one);
    const free = all.map(({ orphans, ...rescued }) => ({ ...rescued, orphans: freeOf(orphans) }));
    drain(
      free.flatMap(({ orphans }) => orphans),
      problem,
    );
    for (const one of free.filter(({ orphans }) => orphans.length > 0)) {
      draining.add(one);
      const drainTimeoutMs = Math.max(...one.orphans.map((orphan) => orphan.drainTimeoutMs));
      platform.arm(drainTimeoutMs + beyondDrainMs, () => {
        draining.delete(one);
        killLate(one);
      });
    }
  }

  return {
    take,
    relieve() {
      release([...own], null);
    },
    stop() {
      release([...own, ...stillLeft()], 'the program is stopped');
      for (const one of left) forget(one);
      left.clear();
    },
    leave() {
      // A script tells all servers of its master. If one of them was told already, this master tells the others.
      const masters = mastersOfTold();
      const orphans = stillLeft().flatMap((one) => one.orphans);
      for (const one of left) forget(one);
      drain(freeOf(orphans.filter(({ master }) => masters.has(master))), 'this master ends');
      signalScripts(
        orphans.filter(({ master }) => !masters.has(master)),
        'SIGUSR2',
      );
      left.clear();
    },
    orphans() {
      const pids = new Set<number>();
      const serving = [...own, ...left];
      for (const { orphans } of serving)
        for (const one of orphans) if (!isTold(one) && stillRuns(one.process)) pids.add(one.process.pid);
      if (pids.size === 0) return null;
      const until = Math.max(...serving.map((one) => one.until));
      return {
        pids: [...pids],
        remainingMs: Math.max(0, Math.round(until - platform.clock.monotonicMs())),
      };
    },
    unfinished() {
      if ([...own, ...left].some(hasWorkers)) return 'serve';
      return [...draining].some(hasWorkers) ? 'drain' : null;
    },
  };
}

/** The workers of dead masters that have the address, if no other process has it as well. */
function aloneAt(wanted: BindablePlan): readonly OrphanedWorker[] {
  const { orphans, others } = holdersAt(wanted);
  return others.length === 0 ? orphans : [];
}

/** Whether one of the workers still runs. */
function hasWorkers({ orphans }: Awaited): boolean {
  return orphans.some(({ process: one }) => stillRuns(one));
}
