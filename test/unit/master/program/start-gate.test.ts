import { expect, test } from 'vitest';
import { createStartGate } from '../../../../src/master/program/start-gate.ts';
import type { Failure } from '../../../../src/shared/events.ts';

const failure: Failure = {
  reason: 'notStarted',
  message: 'the hook pre_start failed',
  hint: null,
  errorCode: 'hookFailed',
  outcome: null,
  stderrTail: [],
};

function gateWith(prepares: boolean): {
  readonly gate: ReturnType<typeof createStartGate>;
  readonly log: string[];
  readonly end: (result: Failure | null) => Promise<void>;
} {
  const log: string[] = [];
  let settle: (result: Failure | null) => void = () => undefined;
  const gate = createStartGate({
    prepare: (generation) => {
      if (!prepares) return null;
      log.push(`prepare ${generation}`);
      return {
        failure: new Promise((resolve) => {
          settle = resolve;
        }),
        cancel: () => {
          log.push('cancel');
          settle(null);
        },
      };
    },
    start: ({ worker }, wasHeld) => log.push(`start ${worker}${wasHeld ? ' late' : ''}`),
    refused: (worker, why) => log.push(`refused ${worker}${why === null ? '' : ' failed'}`),
  });
  const end = async (result: Failure | null): Promise<void> => {
    settle(result);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { gate, log, end };
}

const worker = (id: number, generation = 1) =>
  ({ type: 'startWorker', worker: id, generation, slot: id }) as const;

test('without anything to prepare, a worker starts at once', () => {
  const { gate, log } = gateWith(false);
  gate.enter(worker(1));
  expect(log).toEqual(['start 1']);
});

test('all workers of a generation wait for one preparation, and its later workers for none', async () => {
  const { gate, log, end } = gateWith(true);
  gate.enter(worker(1));
  gate.enter(worker(2));
  expect(log).toEqual(['prepare 1']);
  await end(null);
  gate.enter(worker(3));
  expect(log).toEqual(['prepare 1', 'start 1 late', 'start 2 late', 'start 3']);
});

test('a preparation that fails refuses them all, and the next generation is prepared anew', async () => {
  const { gate, log, end } = gateWith(true);
  gate.enter(worker(1));
  gate.enter(worker(2));
  await end(failure);
  gate.enter(worker(3, 2));
  expect(log).toEqual(['prepare 1', 'refused 1 failed', 'refused 2 failed', 'prepare 2']);
});

test('a worker that leaves is refused without a failure; the last one ends the preparation', async () => {
  const { gate, log, end } = gateWith(true);
  gate.enter(worker(1));
  gate.enter(worker(2));
  expect([gate.leave(1), gate.leave(7)]).toEqual([true, false]);
  expect(log).toEqual(['prepare 1', 'refused 1']);
  expect(gate.leave(2)).toBe(true);
  await end(null);
  expect(log).toEqual(['prepare 1', 'refused 1', 'cancel', 'refused 2']);
  // It was not prepared: the next start is.
  gate.enter(worker(3));
  expect(log.at(-1)).toBe('prepare 1');
});
