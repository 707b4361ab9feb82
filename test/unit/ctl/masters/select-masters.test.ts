import { expect, test } from 'vitest';
import type { ListedMaster } from '../../../../src/ctl/masters/listed-masters.ts';
import { selectMasters } from '../../../../src/ctl/masters/select-masters.ts';
import { answeringMaster, silentMaster } from '../../../helpers/example-programs.ts';

const blue = answeringMaster('blue', ['api', 'shop']);
const green = answeringMaster('green', ['docs', 'web']);
const single = answeringMaster('10086', ['10086']);

function select(
  masters: readonly ListedMaster[],
  words: readonly string[],
  all = false,
): { readonly found: readonly string[]; readonly missing: readonly (string | null)[] } {
  const spell = (name: string): string => `gracefulctl update ${name}`;
  const { found, missing } = selectMasters(
    masters,
    { words, all },
    spell,
    ({ master }) => master.file !== null,
  );
  return { found: found.map(({ name }) => name), missing: missing.map(({ error }) => error.hint) };
}

test('without a name the only master that can be meant is meant', () => {
  expect(select([blue, single], []).found).toEqual(['blue']);
  expect(select([single], []).found).toEqual(['10086']);
  expect(() => select([blue, green, single], [])).toThrow('among 2 masters: blue, green');
});

test('a name, a pattern and --all mean masters', () => {
  expect(select([blue, green, single], ['green']).found).toEqual(['green']);
  expect(select([blue, green, single], ['*e*']).found).toEqual(['blue', 'green']);
  expect(select([blue, green, single], [], true).found).toEqual(['blue', 'green']);
});

test('the name of a program leads to its master, and a mistyped name to the nearest', () => {
  expect(select([blue, green], ['shop', 'blu'])).toEqual({
    found: [],
    missing: ['gracefulctl update blue', 'did you mean gracefulctl update blue?'],
  });
});

test('a master that does not answer is missing', () => {
  expect(select([blue, silentMaster('odd')], ['odd', 'blue'])).toEqual({ found: ['blue'], missing: [null] });
  expect(select([silentMaster('odd')], []).missing.length).toBe(1);
});
