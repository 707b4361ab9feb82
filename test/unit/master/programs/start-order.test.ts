import { expect, test } from 'vitest';
import {
  dependentsFirst,
  type Dependent,
  stopOrder,
  withDependencies,
} from '../../../../src/master/programs/start-order.ts';

function of(name: string, dependsOn: readonly string[] = [], priority = 999): Dependent {
  return { name, dependsOn, priority };
}

const programs = [of('db'), of('cache', ['db']), of('shop', ['cache', 'db']), of('mail')];

test('a program comes with everything that it depends on, each once', () => {
  expect([...withDependencies('shop', programs)].sort()).toEqual(['cache', 'db', 'shop']);
  expect(withDependencies('mail', programs)).toEqual(['mail']);
});

test('those that depend on a program stop before it', () => {
  const order = stopOrder(programs);
  expect(order.get('db')).toEqual(['cache', 'shop']);
  expect(order.get('shop')).toEqual([]);
});

test('programs of a higher priority stop before the others', () => {
  const order = stopOrder([of('a', [], 1), of('b', [], 5), of('c', [], 5)]);
  expect(order.get('a')).toEqual(['b', 'c']);
  expect(order.get('b')).toEqual([]);
});

test('a dependency comes before a priority, and what depends on a program stops as early as that has to', async () => {
  // By priority alone: c, b, a. But a depends on c, so it stops first.
  const order: string[] = [];
  await dependentsFirst([of('a', ['c'], 1), of('b', [], 5), of('c', [], 9)], async (name) => {
    order.push(name);
    return Promise.resolve();
  });
  expect(order).toEqual(['a', 'c', 'b']);
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
