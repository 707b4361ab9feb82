/**
 * Binds as a new master has to. The workers of a master that was killed let the port go only when they have drained. So an address in use is tried again
 * for a while, before it is an error that names the holder. If such a worker is stuck, it is killed when its time is over.
 */
import { GracefulRunError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/durations.ts';
import { beyondDrainMs } from '../config/options/fixed-bounds.ts';
import { readProcessStat } from '../../shared/process-stat.ts';
import { describeHolder, findAddressHolders, holdsSocket, unseenHolderHint } from './address-holder.ts';
import type { BindablePlan } from '../config/plan.ts';
import { bindName, isHostName } from './host-names.ts';
import { bindListener, type BoundListener } from './listener.ts';
import { forListener } from './listener-error.ts';
import type { OrphanedWorker } from '../process/orphaned-worker.ts';
import type { Platform } from '../process/platform.ts';
import { holdersAt, type HoldersAt, readOrphanAt } from './orphans-at.ts';

const pauseMs = 100;

/** How long the kernel may take to close the sockets of killed processes. */
const afterKillMs = 2_000;

export interface BindListeners {
  /** Called if the address is in use, and is tried again for `patienceMs`. */
  readonly busy: (patienceMs: number) => void;
  /** Called if the machine does not have this address of the host name. */
  readonly leftOut: (address: string) => void;
  /** The descriptor of a socket that has the address, and that this process was started with; null if there is none. */
  readonly inTheWay: () => number | null;
  /** Called if the address is in use, and again when the master that has it is gone: the sockets that workers of a killed master have at it; empty if there are none. */
  readonly rescue: () => Promise<readonly BoundListener[]>;
  /** Called with the processes that were killed because they held the port longer than they may. */
  readonly killed: (pids: readonly number[]) => void;
}

/**
 * Binds, on every address of a host name; on `addressInUse` tries again for `patienceMs`, or longer if workers without a master hold it, while it `isWanted`. Errors: `ListenerError`, as
 * those of bindListener, with the holder's pid where it can be found.
 */
export async function bindWithRetries(
  wanted: BindablePlan,
  patienceMs: number,
  isWanted: () => boolean,
  tell: BindListeners,
  platform: Pick<Platform, 'clock' | 'arm' | 'killTree'>,
): Promise<readonly BoundListener[]> {
  return forListener(wanted, async () => bindAgain(wanted, patienceMs, isWanted, tell, platform));
}

async function bindAgain(
  wanted: BindablePlan,
  patienceMs: number,
  isWanted: () => boolean,
  tell: BindListeners,
  { clock, arm, killTree }: Pick<Platform, 'clock' | 'arm' | 'killTree'>,
): Promise<readonly BoundListener[]> {
  const begunAt = clock.monotonicMs();
  let giveUpAt = begunAt + patienceMs;
  let holders: HoldersAt | null = null;
  let areOrphansKilled = false;
  /** When each worker without a master was found, by its process: its time is counted from then on. */
  const foundAt = new Map<string, number>();
  const endOf = ({ process, rescueMs, drainTimeoutMs }: OrphanedWorker): number => {
    const key = `${process.pid} ${process.startedAt}`;
    const found = foundAt.get(key) ?? (foundAt.size === 0 ? begunAt : clock.monotonicMs());
    foundAt.set(key, found);
    return found + rescueMs + drainTimeoutMs + beyondDrainMs;
  };
  // While another process has the address as well, it does not become free when the workers end.
  const endsOf = ({ orphans, others }: HoldersAt): readonly number[] =>
    others.length === 0 ? orphans.map(endOf) : [];
  for (;;) {
    try {
      return await bind(wanted, tell.leftOut);
    } catch (error) {
      if (!(error instanceof GracefulRunError) || error.code !== 'addressInUse') throw error;
      if (holders === null || isLeft(holders, wanted)) {
        const rescued = await tell.rescue();
        if (rescued.length > 0) return rescued;
        const isFirst = holders === null;
        holders = holdersAt(wanted);
        giveUpAt = Math.max((isFirst ? begunAt : clock.monotonicMs()) + patienceMs, ...endsOf(holders));
        if (isFirst && isWanted()) tell.busy(giveUpAt - begunAt);
      }
      const now = clock.monotonicMs();
      if (now >= giveUpAt && !areOrphansKilled) {
        holders = holdersAt(wanted);
        const { orphans, others } = holders;
        // A worker that came to hold the address in the meantime has its time, too.
        giveUpAt = Math.max(giveUpAt, ...endsOf(holders));
        if (now >= giveUpAt && orphans.length > 0 && others.length === 0) {
          for (const { process } of orphans)
            if (readProcessStat(process.pid)?.startedAt === process.startedAt) killTree(process.pid);
          tell.killed(orphans.map(({ process }) => process.pid));
          areOrphansKilled = true;
          giveUpAt = now + afterKillMs;
        }
      }
      if (!isWanted() || now >= giveUpAt)
        throw nameHolder(error, wanted, Math.round(now - begunAt), tell.inTheWay);
      await new Promise<void>((resolve) => {
        arm(pauseMs, resolve);
      });
    }
  }
}

/** Binds once. The code for UNIX and UDP sockets is loaded only if it is needed: most masters hold none. */
async function bind(
  wanted: BindablePlan,
  leftOut: BindListeners['leftOut'],
): Promise<readonly BoundListener[]> {
  if (wanted.type === 'unix') {
    const { bindUnixListener } = await import('./unix-listener.ts');
    return [await bindUnixListener(wanted)];
  }
  if (wanted.type === 'udp') {
    const { bindUdpListener } = await import('./udp-listener.ts');
    return [await bindUdpListener(wanted)];
  }
  if (!isHostName(wanted.host)) return [await bindListener(wanted)];
  const named = await bindName(wanted, wanted.host);
  for (const address of named.leftOut) leftOut(address);
  return named.bound;
}

/** Whether none of the processes that were no orphaned workers has the address as such any more: their master was killed in the meantime, or has ended. */
function isLeft({ inodes, others }: HoldersAt, wanted: BindablePlan): boolean {
  if (others.length === 0) return false;
  return others.every((pid) => !holdsSocket(pid, inodes) || readOrphanAt(pid, wanted) !== null);
}

function heldByOwn(error: GracefulRunError, fd: number): GracefulRunError {
  return new GracefulRunError(
    'addressInUse',
    `${error.message} by a socket that graceful-run was started with, at descriptor ${fd}`,
    {
      hint: `name that socket: listen = ["fd:${fd}"] (--listen fd:${fd}); or declare the very address that it has, and pass LISTEN_FDS with LISTEN_PID of graceful-run itself`,
      cause: error,
    },
  );
}

function nameHolder(
  error: GracefulRunError,
  wanted: BindablePlan,
  sinceMs: number,
  inTheWay: BindListeners['inTheWay'],
): GracefulRunError {
  const [holder = null] = findAddressHolders(wanted);
  const own = holder?.pid === process.pid ? inTheWay() : null;
  if (own !== null) return heldByOwn(error, own);
  if (holder?.pid === process.pid)
    return new GracefulRunError(
      'addressInUse',
      `${error.message} by graceful-run itself, for another listener`,
      { hint: `choose another ${wanted.type === 'unix' ? 'path' : 'port'}`, cause: error },
    );
  const wholeSeconds = Math.floor(sinceMs / 1_000) * 1_000;
  return new GracefulRunError(
    'addressInUse',
    `${error.message} ${describeHolder(holder)}, for ${formatDuration(wholeSeconds)} now`,
    {
      hint:
        holder === null
          ? unseenHolderHint(wanted)
          : `stop it (kill ${holder.pid}), or choose another ${wanted.type === 'unix' ? 'path' : 'port'}`,
      cause: error,
    },
  );
}
