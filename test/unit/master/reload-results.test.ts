import { expect, test } from 'vitest';
import { createReloadResults, type ReloadResults } from '../../../src/master/reload-results.ts';
import { failure } from '../../helpers/lifecycle.ts';
import type { Fact } from '../../../src/shared/facts.ts';

const worker = { generation: 1, slot: 0, pid: 77, from: 'ready', to: 'draining', durationMs: 0 } as const;
const ready: Fact = { event: 'generationReady', generation: 2, durationMs: 5 };

function start(): { results: ReloadResults; armed: (() => void)[]; seen: string[] } {
  const armed: (() => void)[] = [];
  const seen: string[] = [];
  const results = createReloadResults((_delayMs, callback) => {
    armed.push(callback);
    return () => undefined;
  });
  results.of(2).then(
    ({ ok }) => seen.push(`ok ${ok}`),
    () => seen.push('rejected'),
  );
  return { results, armed, seen };
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a reload is answered when the old workers accept no more', async () => {
  const { results, seen } = start();
  results.observe(ready, 0);
  results.observe({ event: 'workerDraining', reason: 'reload', ...worker }, 0);
  await settled();
  expect(seen).toEqual([]);
  results.observe({ event: 'workerAcceptsNoMore', generation: 1, slot: 0, pid: 77 }, 0);
  await settled();
  expect(seen).toEqual(['ok true']);
});

test('an old worker that has ended, or is stuck, is not waited for', async () => {
  const { results, armed, seen } = start();
  results.observe(ready, 0);
  results.observe({ event: 'workerDraining', reason: 'reload', ...worker }, 0);
  await settled();
  expect(seen).toEqual([]);
  for (const fire of armed) fire();
  await settled();
  expect(seen).toEqual(['ok true']);
});

test('a failure is answered at once, and a stop rejects', async () => {
  const failed = start();
  failed.results.observe({ event: 'generationFailed', generation: 2, durationMs: 5, failure }, 0);
  const stopped = start();
  stopped.results.observe({ event: 'stopRequested', cause: 'signal', urgent: false }, 0);
  await settled();
  expect(failed.seen).toEqual(['ok false']);
  expect(stopped.seen).toEqual(['rejected']);
});
