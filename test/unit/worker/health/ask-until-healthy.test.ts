import { expect, test } from 'vitest';
import { askUntilHealthy } from '../../../../src/worker/health/ask-until-healthy.ts';

function asking(answers: readonly (string | null)[]) {
  const left = [...answers];
  const log: (string | number)[] = [];
  return {
    log,
    ask: () => Promise.resolve(left.shift() ?? null),
    pause: (ms: number) => {
      log.push(ms);
      return Promise.resolve();
    },
    report: (reason: string) => {
      log.push(reason);
    },
  };
}

test('a good answer is enough', async () => {
  const parts = asking([null]);
  await askUntilHealthy(parts);
  expect(parts.log).toEqual([]);
});

test('reports each reason and asks again after a pause that doubles, up to a second', async () => {
  const parts = asking(['a', 'b', 'c', 'd', 'e', 'f', 'g', null]);
  await askUntilHealthy(parts);
  expect(parts.log).toEqual(['a', 50, 'b', 100, 'c', 200, 'd', 400, 'e', 800, 'f', 1_000, 'g', 1_000]);
});

test('ends when a pause is called off', async () => {
  const parts = { ...asking(['a', null]), pause: () => Promise.reject(new Error('called off')) };
  await expect(askUntilHealthy(parts)).rejects.toThrow('called off');
});
