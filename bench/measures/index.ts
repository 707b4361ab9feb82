/** Every measurement of the comparison by name, and the tools to which each applies. */
import type { Count } from '../count.ts';
import type { PeerEffort } from '../effort.ts';
import type { Tool } from '../peers/tool.ts';
import type { Outcome } from '../peers/rounds.ts';
import { measureFailed, type FailedTurn } from './failed.ts';
import { measureIdle, type IdleTurn } from './idle.ts';
import { measureKilled, type KilledTurn } from './killed.ts';
import { measureMasterKilled, type MasterKilledTurn } from './master-killed.ts';
import { measureLatency, type LatencyTurn } from './latency.ts';
import { measureSlow } from './slow.ts';
import { measureThroughput, type ThroughputTurn } from './throughput.ts';
import { measureTiming, type TimingTurn } from './timing.ts';
import { measureWebSockets, type WebSocketTurn } from './websockets.ts';

export interface PeerResults {
  readonly failed?: readonly Outcome<FailedTurn>[];
  readonly slow?: readonly Outcome<Count>[];
  readonly latency?: readonly Outcome<LatencyTurn>[];
  readonly throughput?: readonly Outcome<ThroughputTurn>[];
  readonly timing?: readonly Outcome<TimingTurn>[];
  readonly idle?: readonly Outcome<IdleTurn>[];
  readonly killed?: readonly Outcome<KilledTurn>[];
  readonly masterKilled?: readonly Outcome<MasterKilledTurn>[];
  readonly websockets?: readonly Outcome<WebSocketTurn>[];
}

type Measure = (tools: readonly Tool[], effort: PeerEffort) => Promise<PeerResults>;

const reloadable = (tools: readonly Tool[]): readonly Tool[] => tools.filter((tool) => tool.isReloadable);

/** The measurements, in the order in which they run. */
export const measures: Readonly<Record<keyof PeerResults, Measure>> = {
  failed: async (tools, effort) => ({ failed: await measureFailed(reloadable(tools), effort) }),
  slow: async (tools, effort) => ({ slow: await measureSlow(reloadable(tools), effort) }),
  latency: async (tools, effort) => ({ latency: await measureLatency(tools, effort) }),
  timing: async (tools, effort) => ({ timing: await measureTiming(reloadable(tools), effort) }),
  killed: async (tools, effort) => ({ killed: await measureKilled(reloadable(tools), effort) }),
  masterKilled: async (tools, effort) => ({
    masterKilled: await measureMasterKilled(reloadable(tools), effort),
  }),
  websockets: async (tools, effort) => ({
    websockets: await measureWebSockets(
      tools.filter((tool) => tool.canWebSockets),
      effort,
    ),
  }),
  throughput: async (tools, effort) => ({ throughput: await measureThroughput(tools, effort) }),
  idle: async (tools, effort) => ({
    idle: await measureIdle(
      tools.filter((tool) => tool.hasMaster),
      effort,
    ),
  }),
};
