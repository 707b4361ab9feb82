import { expect, it } from 'vitest';
import { createHooks } from '../../../../src/worker/api/drain-hooks.ts';

it('runs drain hooks in order, one at a time, and goes on after one that fails', async () => {
  const seen: unknown[] = [];
  const hooks = createHooks((error) => seen.push(error instanceof Error ? error.message : error));
  hooks.add(async ({ reason }) => {
    seen.push(reason);
    await Promise.resolve();
    seen.push('one done');
    hooks.add(() => seen.push('added late'), 'last');
  }, 'last');
  hooks.add(() => seen.push('of another moment'), 'first');
  hooks.add(() => {
    throw new Error('broken');
  }, 'last');
  hooks.add(() => Promise.reject(new Error('rejected')), 'last');
  await hooks.run('last', { reason: 'reload', deadline: 1 });
  expect(seen).toEqual(['reload', 'one done', 'broken', 'rejected', 'added late']);
});
