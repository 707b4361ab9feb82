/** Every comparison of graceful-run with bare Node.js by name. */
import type { OwnEffort } from '../effort.ts';
import { measureBoot } from './boot.ts';
import { measureCrowd } from './idle-connections.ts';
import { measureFailures, measureUpgrades } from './failures.ts';
import { measureIdle } from './idle.ts';
import type { OwnResults } from './results.ts';
import { withoutAutogroups } from '../autogroups.ts';
import { measureSpread } from './spread.ts';
import { measureThroughput } from './throughput.ts';

type Measure = (effort: OwnEffort) => Promise<OwnResults>;

/** The comparisons, in the order in which they run. */
export const ownMeasures: Readonly<Record<keyof OwnResults, Measure>> = {
  throughput: async (effort) => ({ throughput: await measureThroughput(effort) }),
  spread: async (effort) => ({ spread: await withoutAutogroups(() => measureSpread(effort)) }),
  boot: async (effort) => ({ boot: await measureBoot(effort) }),
  failures: async (effort) => ({ failures: await measureFailures(effort) }),
  upgrades: async (effort) => ({ upgrades: await measureUpgrades(effort) }),
  crowd: async (effort) => ({ crowd: await measureCrowd(effort) }),
  idle: async (effort) => ({ idle: await measureIdle(effort) }),
};
