/** Reloads a program of docs/programs.md under clients that open a connection for each request and under clients that keep theirs. */
import { expect } from 'vitest';
import type { RunningMaster } from '../helpers/run-master.ts';
import { failureCounts, type Tally } from '../helpers/tally.ts';
import { clients, type Loads } from './loads.ts';
import type { Example } from './program-examples.ts';

const reloads = 5;
/** Reloads it 5 times: no new connection fails, and those that are kept end as the page says. */
export async function expectReloads(
  { closesIdle }: Example,
  master: RunningMaster,
  loads: Loads,
): Promise<void> {
  for (let generation = 2; generation <= reloads + 1; generation += 1) {
    const { kept } = await loads.more();
    // Only a reload ends them.
    if (closesIdle && generation === 2) expect(kept.connections).toBeLessThanOrEqual(clients);
    await master.reload(generation);
    const { from, outcome } = await master.waitFor('workerExited', { generation: generation - 1 });
    expect({ from, outcome }).toMatchObject({ from: 'draining' });
  }
  await loads.more();
  const { fresh, kept } = await loads.stop();
  expectAtMost(fresh, 0);
  // Each of them may have been asked at the very moment in which it was closed.
  expectAtMost(kept, closesIdle ? clients * reloads : 0);
  if (closesIdle) expect(endedUnannounced(kept)).toBeGreaterThan(0);
  else {
    expect(kept.closedIdle).toBe(0);
    expect(kept.closedAsAnnounced).toBeGreaterThan(0);
  }
}

/** Connections that were closed without `Connection: close`: while they were idle, or when the client had just written a request. */
function endedUnannounced({ closedIdle, reset, unanswered }: Tally): number {
  return closedIdle + reset + unanswered;
}

/** Connections that end before the answer begins, at most so many; and no other failure. */
function expectAtMost(tally: Tally, lost: number): void {
  const { reset = 0, unanswered = 0, ...others } = failureCounts(tally);
  expect(others, tally.examples.join('\n')).toEqual({});
  expect(reset + unanswered, tally.examples.join('\n')).toBeLessThanOrEqual(lost);
}
