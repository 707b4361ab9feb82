import { expect, test } from 'vitest';
import { dependentsOf, findCycle, withDependencies } from '../../../../src/master/programs/start-order.ts';

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

test('a cycle is named from its first program to the same one again', () => {
  expect(findCycle(programs)).toBeNull();
  expect(
    findCycle([
      { name: 'a', dependsOn: ['b'] },
      { name: 'b', dependsOn: ['c'] },
      { name: 'c', dependsOn: ['b'] },
    ]),
  ).toEqual(['b', 'c', 'b']);
  expect(findCycle([{ name: 'a', dependsOn: ['a'] }])).toEqual(['a', 'a']);
});
