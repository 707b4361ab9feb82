/**
 * Takes the listeners of a master that was killed over from its workers, which go on serving for a while (`rescue`). A new generation of this master then
 * serves beside them, on the same sockets, and they are told to drain: clients notice as little as at a reload.
 *
 * pidfd_getfd(2) copies the socket out of a worker, whatever language that is written in. Nothing has to be asked of the worker, and no process has to keep
 * the sockets beside the master.
 */
import { fstatSync, lstatSync, readlinkSync } from 'node:fs';
import type { MasterEvent } from '../../shared/events.ts';
import { addressFields, type SocketAddress } from '../../shared/format-address.ts';
import { isNode } from '../../shared/is-node.ts';
import { readProcessArguments } from '../../shared/process-arguments.ts';
import { hasEnded, readProcessStat, type ProcessStat } from '../../shared/process-stat.ts';
import { readProcessVariables } from '../../shared/process-variable.ts';
import { env } from '../../shared/protocol.ts';
import { canonicalHost } from '../config/canonical-host.ts';
import { beyondDrainMs } from '../config/options/fixed-bounds.ts';
import type { BindablePlan } from '../config/plan.ts';
import { type OrphanedWorker, readOrphanedWorker } from '../process/orphaned-worker.ts';
import type { Platform } from '../process/platform.ts';
import { findAddressHolders, inodesAt, list } from '../sockets/address-holder.ts';
import { furtherName, isHostName } from '../sockets/host-names.ts';
import { holdListener, type BoundListener } from '../sockets/listener.ts';
import { handleOfServed } from '../sockets/server-handle.ts';
import { readSockaddr } from '../sockets/sockaddr.ts';
import { removeOwn } from '../sockets/unix-listener.ts';
import {
  closeDescriptor,
  loadSystemCalls,
  openProcess,
  readSocket,
  takeDescriptor,
} from '../system-calls/syscalls.ts';

type RescueEvent = Extract<MasterEvent, { event: 'listenerRescued' | 'orphansDrained' | 'orphansKilled' }>;

export interface RescueParts {
  readonly platform: Pick<Platform, 'findServing' | 'signalProcess' | 'killTree' | 'arm'>;
  /** The signal that makes workers of the program drain that are not Node.js, or null if none does. */
  readonly drainSignal: () => NodeJS.Signals | null;
  readonly tell: (event: RescueEvent) => void;
}

export interface Rescue {
  /**
   * The sockets for an address that is in use, from workers whose master was killed; empty if it is not such workers that have it. If their sockets cannot be
   * taken over, they are told to drain, so that the address becomes free.
   */
  take(wanted: BindablePlan, canShare: boolean): Promise<readonly BoundListener[]>;
  /** Called when a generation serves: the workers of the dead master drain, and are killed if they take longer than they may. */
  relieve(): void;
}

/** Why listeners of several sockets, and UDP sockets, are not taken over. */
const severalSockets = 'it is not the only one, or a UDP socket';

interface Taken {
  readonly fd: number;
  readonly address: SocketAddress;
}

export function createRescue({ platform, drainSignal, tell }: RescueParts): Rescue {
  /** Where sockets were taken over, and the workers there that were not told to drain yet. */
  const rescued: { readonly address: BindablePlan; readonly orphans: readonly OrphanedWorker[] }[] = [];

  async function take(wanted: BindablePlan, canShare: boolean): Promise<readonly BoundListener[]> {
    if (process.platform !== 'linux') return [];
    const orphans = orphansAt(wanted);
    if (orphans === null) return [];
    await loadSystemCalls();
    const taken = canBeTaken(wanted, canShare) ? await takeFrom(orphans, wanted) : severalSockets;
    const isServed = (): boolean => orphans.some(({ process: one }) => isThere(one));
    const listeners = typeof taken === 'string' ? taken : hold(taken, wanted, isServed);
    if (typeof listeners === 'string') {
      drain(orphans, listeners);
      return [];
    }
    rescued.push({ address: wanted, orphans });
    tell({
      event: 'listenerRescued',
      listener: wanted.name,
      ...addressFields(wanted),
      pids: orphans.map(({ process: { pid } }) => pid),
    });
    return listeners;
  }

  /** Tells those that still run to drain. */
  function drain(orphans: readonly OrphanedWorker[], problem: string | null): void {
    const told = new Set<number>();
    const tellOne = (pid: number, signal: NodeJS.Signals | null): void => {
      if (signal === null || told.has(pid)) return;
      told.add(pid);
      platform.signalProcess(pid, signal);
    };
    for (const worker of byWorker(orphans.map(({ process: one }) => one).filter(isThere))) {
      // A Node.js that has started another one, as npm has, leaves it to that one.
      const nodes = worker.filter(({ pid }) => hasPreload(pid));
      for (const { pid } of nodes) tellOne(pid, 'SIGQUIT');
      const [root] = worker;
      if (nodes.length === 0 && root !== undefined)
        tellOne(platform.findServing(root.pid) ?? root.pid, drainSignal());
    }
    if (told.size > 0) tell({ event: 'orphansDrained', pids: [...told], problem });
  }

  function killLate(address: BindablePlan, orphans: readonly OrphanedWorker[]): void {
    const late = orphans.map(({ process: one }) => one).filter(isThere);
    if (late.length === 0) return;
    for (const { pid } of late) platform.killTree(pid);
    const { port, path } = addressFields(address);
    tell({ event: 'orphansKilled', port, path, pids: late.map(({ pid }) => pid) });
  }

  return {
    take,
    relieve() {
      const all = rescued.splice(0);
      drain(
        all.flatMap(({ orphans }) => orphans),
        null,
      );
      for (const { address, orphans } of all)
        platform.arm(Math.max(...orphans.map(({ drainTimeoutMs }) => drainTimeoutMs)) + beyondDrainMs, () => {
          killLate(address, orphans);
        });
    },
  };
}

/** The processes that have the address, if all of them are workers whose master was killed, or were started by one; otherwise null. */
function orphansAt(wanted: BindablePlan): readonly OrphanedWorker[] | null {
  const holders = findAddressHolders(wanted);
  const orphans = holders.flatMap(({ pid }) => readOrphanedWorker(pid) ?? []);
  return orphans.length > 0 && orphans.length === holders.length ? orphans : null;
}

/** The addresses of a host name, and the queues of `reuse_port`, are several sockets; a UDP socket has no queue that two generations could share. */
function canBeTaken(wanted: BindablePlan, canShare: boolean): boolean {
  if (wanted.type === 'unix') return true;
  return canShare && wanted.type === 'tcp' && (wanted.host === null || !isHostName(wanted.host));
}

/** Copies the sockets of the address out of the workers; or says why that cannot be done. */
async function takeFrom(
  orphans: readonly OrphanedWorker[],
  wanted: BindablePlan,
): Promise<readonly Taken[] | string> {
  const taken: Taken[] = [];
  const giveUp = (reason: string): string => {
    for (const { fd } of taken) closeDescriptor(fd);
    return reason;
  };
  for (const inode of inodesAt(wanted)) {
    const fd = await copyOf(inode, orphans);
    if (typeof fd === 'string') return giveUp(fd);
    const facts = await readSocket(fd);
    const address = typeof facts === 'string' ? null : readSockaddr(facts.family, facts.address);
    if (address === null) {
      closeDescriptor(fd);
      return giveUp('its address cannot be read');
    }
    taken.push({ fd, address });
    // The inode of a socket belongs to the user who has made it: nobody else can pass a socket off as one of this master.
    if (fstatSync(fd).uid !== process.geteuid?.()) return giveUp('it belongs to another user');
    if (!isMeant(wanted, address)) return giveUp('it has another address');
  }
  const addresses = taken.map(({ address }) => JSON.stringify(address));
  // Several sockets of one address are the queues of reuse_port.
  if (taken.length === 0) return giveUp('it is closed');
  if (new Set(addresses).size < taken.length) return giveUp(severalSockets);
  return taken;
}

function isMeant(wanted: BindablePlan, address: SocketAddress): boolean {
  if (wanted.type !== address.type) return false;
  if (wanted.type === 'unix') return address.type === 'unix' && address.path === wanted.path;
  if (address.type === 'unix' || address.port !== wanted.port) return false;
  return wanted.host === null || canonicalHost(wanted.host) === canonicalHost(address.host);
}

/** A copy of the socket, or why there is none. */
async function copyOf(inode: string, orphans: readonly OrphanedWorker[]): Promise<number | string> {
  let problem = 'no worker has it any more';
  for (const { process: orphan } of orphans) {
    const opened = await openProcess(orphan.pid);
    if (opened === null) continue;
    try {
      // The process that was opened is the one that was looked at.
      if (!isThere(orphan)) continue;
      for (const name of list(`/proc/${orphan.pid}/fd`)) {
        if (linkOf(orphan.pid, name) !== `socket:[${inode}]`) continue;
        const fd = takeDescriptor(opened, Number(name));
        if (typeof fd === 'string') {
          problem = fd === 'EPERM' ? 'this user may not look into its workers (EPERM)' : fd;
          continue;
        }
        if (String(fstatSync(fd).ino) === inode) return fd;
        closeDescriptor(fd);
      }
    } finally {
      closeDescriptor(opened);
    }
  }
  return problem;
}

/** Holds the sockets as listeners of the plan. A text: why that cannot be done. */
function hold(
  taken: readonly Taken[],
  wanted: BindablePlan,
  isServed: () => boolean,
): readonly BoundListener[] | string {
  const handles = taken.map(({ fd }) => handleOfServed(fd));
  const problem = handles.find((handle) => typeof handle === 'string');
  if (problem !== undefined) {
    for (const [at, { fd }] of taken.entries()) {
      const handle = handles[at];
      if (typeof handle === 'object') handle.close();
      else closeDescriptor(fd);
    }
    return problem;
  }
  // An operator who has named no address gets those that the program had asked for.
  const isOpenToAll = wanted.type === 'tcp' && wanted.host === null;
  return taken.flatMap(({ fd, address }, at) => {
    const handle = handles[at];
    if (typeof handle !== 'object') return [];
    const isWide = address.type === 'tcp' && (address.host === '::' || address.host === '0.0.0.0');
    const file = address.type === 'unix' ? fileOf(address.path) : null;
    return holdListener(
      {
        name: at === 0 ? wanted.name : furtherName(wanted.name, at + 1),
        address,
        backlog: wanted.backlog,
        fd,
        handle,
        isUndecided: isOpenToAll && isWide && taken.length === 1,
        standsFor: isOpenToAll && !(isWide && taken.length === 1) ? wanted.name : null,
        isServedElsewhere: isServed,
        ...(file === null ? {} : { file }),
      },
      () => {
        if (file !== null && address.type === 'unix' && !isServed()) removeOwn(address.path, file);
      },
    );
  });
}

function fileOf(path: string): number | null {
  return path.startsWith('@') ? null : (lstatSync(path, { throwIfNoEntry: false })?.ino ?? null);
}

/** The processes of each worker, the oldest first: a shell, or the program itself. */
function byWorker(orphans: readonly ProcessStat[]): readonly (readonly ProcessStat[])[] {
  const workers = new Map<string, ProcessStat[]>();
  for (const orphan of [...orphans].sort((one, other) => one.startedAt - other.startedAt)) {
    const [tree = null] = readProcessVariables(orphan.pid, [env.tree]);
    const key = tree ?? String(orphan.pid);
    workers.set(key, [...(workers.get(key) ?? []), orphan]);
  }
  return [...workers.values()];
}

/** Whether the process is a Node.js in which graceful-run's own code runs: it drains at SIGQUIT. */
function hasPreload(pid: number): boolean {
  if (!isNode(pid)) return false;
  const [options = null] = readProcessVariables(pid, ['NODE_OPTIONS']);
  return [options ?? '', ...readProcessArguments(pid)].some((text) => text.includes('preload.cjs'));
}

function isThere({ pid, startedAt }: ProcessStat): boolean {
  const now = readProcessStat(pid);
  return now !== null && now.startedAt === startedAt && !hasEnded(now);
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}
