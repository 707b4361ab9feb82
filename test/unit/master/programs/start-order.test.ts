import { expect, test } from 'vitest';
import {
  dependentsFirst,
  dependentsOf,
  withDependencies,
} from '../../../../src/master/programs/start-order.ts';

const programs = [
  { name: 'db', dependsOn: [] },
  { name: 'cache', dependsOn: ['db'] },
  { name: 'shop', dependsOn: ['cache', 'db'] },
  { name: 'mail', dependsOn: [] },
];

test('a program comes with everything that it depends on, each once', () => {
  expect([...withDependencies('shop', programs)].sort()).toEqual(['cache', 'db', 'shop']);
  expect(withDependencies('mail', programs)).toEqual(['mail']);
});

test('those that depend on a program are found', () => {
  expect(dependentsOf('db', programs)).toEqual(['cache', 'shop']);
  expect(dependentsOf('shop', programs)).toEqual([]);
});

test('what is done to a program is done to those that depend on it before, and at once where nothing does', async () => {
  const order: string[] = [];
  const done = dependentsFirst(programs, async (name) => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
  });
  expect(order).toEqual(['shop begins', 'mail begins']);
  await done;
  for (const { name, dependsOn } of programs)
    for (const other of dependsOn)
      expect(order.indexOf(`${name} ends`)).toBeLessThan(order.indexOf(`${other} begins`));
  expect(order).toHaveLength(2 * programs.length);
});
