import { expect, test } from 'vitest';
import { compileOptions } from '../../../../src/master/config/options.ts';
import type { ProgramPlan } from '../../../../src/master/config/plan.ts';
import type { PlanPlaces } from '../../../../src/master/config/plan-places.ts';
import { withBindProblems } from '../../../../src/master/programs/bind-problems.ts';
import { ListenerError } from '../../../../src/master/sockets/listener-error.ts';
import { GracefulRunError } from '../../../../src/shared/errors.ts';

const file = '/srv/graceful.toml';
const error = new GracefulRunError('addressInUse', 'in use', { hint: 'choose another' });
const [plan] = compileOptions({ command: ['node'], name: 'a.b', listen: ['3000', 'web=3001'] }, '/')
  .programs as [ProgramPlan];
const at = (line: number, key: string) => ({ file, line, column: 1, key });

function placeOf(
  thrown: unknown,
  places: PlanPlaces['programs'][string] | null,
  origin: string | null = file,
) {
  const problems = withBindProblems([], [{ name: 'a.b', plan, error: thrown }], {
    file: origin,
    places: { master: {}, programs: places === null ? {} : { 'a.b': places } },
  });
  expect(problems).toMatchObject([{ message: 'in use', hint: 'choose another' }]);
  return problems.map(({ line, key }) => [line, key])[0];
}

test('a program that cannot be bound is reported at the address, else at the program', () => {
  const places = {
    '': at(4, 'program."a.b"'),
    listen: at(6, 'program."a.b".listen'),
    'listen[1]': at(7, 'program."a.b".listen[1]'),
  };
  expect(placeOf(new ListenerError(error, 'web'), places)).toEqual([7, 'program."a.b".listen[1]']);
  expect(placeOf(error, places)).toEqual([4, 'program."a.b"']);
});

test('without places, a problem of an update has the key that the file must have', () => {
  expect(placeOf(new ListenerError(error, 'web'), null)).toEqual([null, 'program."a.b".port']);
  expect(placeOf(error, null)).toEqual([null, 'program."a.b"']);
  expect(placeOf(error, null, null)).toEqual([null, 'programs["a.b"]']);
});

test('problems of an update come as a reader of the file finds them', () => {
  const found = { ...at(9, 'program.shop.command'), message: 'not found', hint: null };
  const problems = withBindProblems([found], [{ name: 'a.b', plan, error }], {
    file,
    places: { master: {}, programs: { 'a.b': { '': at(4, 'program."a.b"') } } },
  });
  expect(problems.map(({ line }) => line)).toEqual([4, 9]);
});
