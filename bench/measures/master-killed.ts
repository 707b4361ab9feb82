/** The master is killed with SIGKILL under load, and started again as an init system would: which requests fail, and when the new one serves. */
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../../test/helpers/eventually.ts';
import { isAlive } from '../../test/helpers/marked-processes.ts';
import type { Count } from '../count.ts';
import type { PeerEffort } from '../effort.ts';
import { signalTree } from '../proc.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';
import { startMixedLoad } from './mixed-load.ts';

export interface MasterKilledTurn extends Count {
  /** Kept connections that the server has closed. */
  readonly closed: number;
  /** How many of the old workers still ran `oldGoMs` and 500 ms after a new one had responded, or after the wait for one was over. */
  readonly oldLeft: number;
  /** Milliseconds from the kill until a new worker has responded; null if none did in time. */
  readonly replacedMs: number | null;
}

/** How long systemd waits by default until it starts a unit again: RestartSec= of systemd.service(5) is 100 ms. */
const restartAfterMs = 100;
/** A program with the probation of its default serves with its new workers before the old ones are told to go. */
const oldGoMs = 4_000;

export function measureMasterKilled(
  tools: readonly Tool[],
  { turns, workers }: PeerEffort,
): Promise<readonly Outcome<MasterKilledTurn>[]> {
  return startInRounds({ name: 'the master is killed', tools, turns, workers, measure: measureOne });
}

async function measureOne(running: RunningTool): Promise<MasterKilledTurn> {
  const before = running.workerPids();
  const masters = running.masterPids();
  const load = startMixedLoad(running.port);
  try {
    await load.moreAnswers(20);
    const killedAt = performance.now();
    for (const pid of masters) process.kill(pid, 'SIGKILL');
    await pause(restartAfterMs);
    // Whether its command fails is one thing; what the clients see is another.
    await Promise.resolve(running.startAgain()).catch(() => undefined);
    const replacedMs = await load.replaced(before, killedAt);
    await eventually('the old workers are gone', () => !before.some(isAlive), oldGoMs).catch(() => undefined);
    await pause(500);
    return { ...(await load.stop()), oldLeft: before.filter(isAlive).length, replacedMs };
  } finally {
    await load.stop();
    for (const pid of before) if (isAlive(pid)) signalTree(pid, 'SIGKILL');
  }
}
