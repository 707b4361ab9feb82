import { expect, test } from 'vitest';
import { createWorkerLoads } from '../../../../src/master/program/worker-loads.ts';
import type { WorkerLoad } from '../../../../src/shared/protocol.ts';

function load(served: number, serverErrors = 0): WorkerLoad {
  const eventLoop = { utilization: 0, delayMeanMs: null, delayP99Ms: null, delayMaxMs: null };
  return { served, serverErrors, eventLoop };
}

test('the totals never fall, whether a worker answers, ends with a report, or is killed without one', () => {
  const loads = createWorkerLoads();
  loads.received(1, load(10, 2));
  loads.received(2, load(5));
  expect(loads.served()).toEqual({ requests: 15, serverErrors: 2 });
  loads.ended(1, { served: 12, serverErrors: 3 });
  expect(loads.served()).toEqual({ requests: 17, serverErrors: 3 });
  loads.ended(2, null);
  expect(loads.served()).toEqual({ requests: 17, serverErrors: 3 });
  // A request that is in flight is not served yet.
  loads.received(3, load(4));
  loads.received(3, load(3));
  expect(loads.served()).toEqual({ requests: 21, serverErrors: 3 });
});
