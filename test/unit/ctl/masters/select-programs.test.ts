import { expect, test } from 'vitest';
import { selectPrograms } from '../../../../src/ctl/masters/select-programs.ts';
import type { ListedMaster } from '../../../../src/ctl/masters/listed-masters.ts';
import { GracefulRunError } from '../../../../src/shared/errors.ts';
import { answeringMaster, silentMaster } from '../../../helpers/example-programs.ts';

const oneMaster = [answeringMaster('platform', ['api', 'shop', 'web-1', 'web-2'])];
const manyMasters = ['api', 'shop', 'web-1', 'web-2'].map((name) => answeringMaster(name, [name]));

function select(
  masters: readonly ListedMaster[],
  words: readonly string[],
  { all = false, takes = 'one' }: { readonly all?: boolean; readonly takes?: 'one' | 'any' } = {},
): { readonly found: readonly string[]; readonly missing: readonly string[] } {
  const { found, missing } = selectPrograms(
    masters,
    { words, all },
    (name) => `gracefulctl reload ${name}`,
    takes,
  );
  return {
    found: found.map(({ label }) => label),
    missing: missing.map(({ word, error }) => `${word} ${error.code}`),
  };
}

function refusal(masters: readonly ListedMaster[], ...words: readonly string[]): GracefulRunError {
  try {
    select(masters, words);
  } catch (error) {
    if (error instanceof GracefulRunError) return error;
    throw error;
  }
  throw new Error('not refused');
}

test.each([
  [['shop'], ['shop']],
  [
    ['web-2', 'api'],
    ['api', 'web-2'],
  ],
  [['web-*'], ['web-1', 'web-2']],
  [['web-[13]'], ['web-1']],
  [['*p*'], ['api', 'shop']],
  [
    ['web-1', 'web-?'],
    ['web-1', 'web-2'],
  ],
])('%j means the same under one master of many programs and under many masters of one', (words, programs) => {
  const meant = { found: programs, missing: [] };
  expect(select(oneMaster, words)).toEqual(meant);
  expect(select(manyMasters, words)).toEqual(meant);
});

test('--all means every program', () => {
  const everything = { found: ['api', 'shop', 'web-1', 'web-2'], missing: [] };
  expect(select(oneMaster, [], { all: true })).toEqual(everything);
  expect(select(manyMasters, [], { all: true })).toEqual(everything);
});

test('without a name the only program is meant; of several, none', () => {
  expect(select([answeringMaster('shop', ['shop'])], []).found).toEqual(['shop']);
  for (const masters of [oneMaster, manyMasters]) {
    const { code, message, hint } = refusal(masters);
    expect(code).toBe('programAmbiguous');
    expect(message).toContain('api, shop, web-1, web-2');
    expect(hint).toContain('gracefulctl reload api;');
  }
});

test('a oneshot, which the command might run again, is no example', () => {
  const of = (types: Readonly<Record<string, 'server' | 'worker' | 'oneshot'>>): ListedMaster => {
    const master = answeringMaster('site', Object.keys(types));
    const programs = master.programs.map((one) => ({ ...one, type: types[one.program] ?? 'server' }));
    return { ...master, programs };
  };
  const site = of({ prepare: 'oneshot', queue: 'worker', web: 'server' });
  expect(refusal([site]).hint).toBe('name one of them: gracefulctl reload web');
  expect(refusal([site], 'site').hint).toBe('name one of them: gracefulctl reload web');
  expect(refusal([of({ prepare: 'oneshot', queue: 'worker' })]).hint).toContain('gracefulctl reload queue');
  expect(refusal([of({ queue: 'worker', web: 'server' })]).hint).toBe(
    'name one of them: gracefulctl reload web; or all: gracefulctl reload --all',
  );
  expect(refusal([of({ a: 'oneshot', b: 'oneshot' })]).hint).toBe('name one of them: gracefulctl reload a');
});

test('a command that only looks takes every program when no name is given', () => {
  expect(select(oneMaster, [], { takes: 'any' }).found.length).toBe(4);
});

test('the name of a master means its only program', () => {
  expect(select([answeringMaster('10086', ['shop'])], ['10086']).found).toEqual(['shop']);
});

test('the name of a master with several programs means all of them to a command that looks, and is refused by one that acts', () => {
  expect(select(oneMaster, ['platform'], { takes: 'any' }).found.length).toBe(4);
  const { code, hint } = refusal(oneMaster, 'platform');
  expect(code).toBe('programAmbiguous');
  expect(hint).toBe("name one of them: gracefulctl reload api; or all: gracefulctl reload 'platform:*'");
  expect(select(oneMaster, ['platform:*']).found.length).toBe(4);
});

test('programs of one name under two masters are told apart by master:program', () => {
  const masters = [answeringMaster('blue', ['shop', 'db']), answeringMaster('green', ['shop'])];
  const { code, message, hint } = refusal(masters, 'shop');
  expect([code, hint]).toEqual(['programAmbiguous', 'name one of them: gracefulctl reload blue:shop']);
  expect(message).toContain('blue, green');
  expect(select(masters, ['green:shop']).found).toEqual(['green:shop']);
  expect(select(masters, ['*:shop', 'db']).found).toEqual(['blue:shop', 'db', 'green:shop']);
  expect(select(masters, ['shop'], { takes: 'any' }).found).toEqual(['blue:shop', 'green:shop']);
});

test('programs of one name and group under two masters are not taken for those of one master', () => {
  const inGroup = (master: string): ReturnType<typeof answeringMaster> => {
    const one = answeringMaster(master, ['shop', 'db']);
    return { ...one, programs: one.programs.map((status) => ({ ...status, group: 'site' })) };
  };
  const { message, hint } = refusal([inGroup('blue'), inGroup('green')], 'site:shop');
  expect(message).toContain('blue, green');
  expect(hint).toBe('name one of them: gracefulctl reload blue:shop');
});

test('a program is preferred to a master of the same name', () => {
  const masters = [answeringMaster('shop', ['api', 'web']), answeringMaster('platform', ['shop', 'db'])];
  expect(select(masters, ['shop']).found).toEqual(['shop']);
});

test('a name that is unknown is missing, and the others are found', () => {
  expect(select(oneMaster, ['shop', 'web-3', 'nginx', 'x*'])).toEqual({
    found: ['shop'],
    missing: ['web-3 programNotFound', 'nginx programNotFound', 'x* programNotFound'],
  });
});

test('an unknown name comes with the nearest one, or with those that there are', () => {
  const hintFor = (word: string): string | null | undefined =>
    selectPrograms(oneMaster, { words: [word], all: false }, (name) => `gracefulctl stop ${name}`, 'one')
      .missing[0]?.error.hint;
  expect(hintFor('shpo')).toBe('did you mean gracefulctl stop shop?');
  expect(hintFor('nginx')).toBe('there are api, shop, web-1, web-2');
});

test('a pattern that matches nothing comes with the nearest group or master', () => {
  const site = answeringMaster('site', ['web', 'jobs']);
  const grouped = {
    ...site,
    programs: site.programs.map((one) => (one.program === 'jobs' ? { ...one, group: 'queues' } : one)),
  };
  const hintFor = (word: string): string | null | undefined =>
    selectPrograms([grouped], { words: [word], all: false }, (name) => `gracefulctl stop ${name}`, 'one')
      .missing[0]?.error.hint;
  expect(hintFor('queus:*')).toBe("did you mean gracefulctl stop 'queues:*'?");
  expect(hintFor('sites:*')).toBe("did you mean gracefulctl stop 'site:*'?");
  expect(hintFor('zzz-*')).toBe('there are web, jobs');
});

test('of very many programs a message names the first ones', () => {
  const names = Array.from({ length: 40 }, (_, index) => `p${index}`);
  expect(refusal([answeringMaster('platform', names)]).message).toMatch(
    /among 40 programs: p0, .*, p11 and 28 more$/,
  );
});

test('a master that does not answer is missing where it is meant, and makes a command without a name ambiguous', () => {
  const masters = [answeringMaster('shop', ['shop']), silentMaster('odd')];
  expect(select(masters, ['shop'])).toEqual({ found: ['shop'], missing: [] });
  expect(select(masters, ['odd']).missing).toEqual(['odd masterUnreachable']);
  expect(select(masters, ['odd:web']).missing).toEqual(['odd:web masterUnreachable']);
  expect(select(masters, [], { all: true })).toEqual({ found: ['shop'], missing: ['odd masterUnreachable'] });
  expect(refusal(masters).code).toBe('programAmbiguous');
  expect(refusal([silentMaster('odd')]).code).toBe('masterUnreachable');
});

test('masters without programs have none to act on', () => {
  const masters = [answeringMaster('platform', [])];
  expect(refusal(masters).code).toBe('programNotFound');
  expect(() => select(masters, [], { all: true })).toThrow('have none');
});

test('NAME:* is a group before it is a master, and MASTER:PROGRAM keeps its meaning', () => {
  const site = answeringMaster('site', ['web', 'queue', 'site-job']);
  const grouped = {
    ...site,
    programs: site.programs.map((one) => (one.program === 'queue' ? one : { ...one, group: 'site' })),
  };
  const other = answeringMaster('blue', ['api', 'jobs']);
  const masters = [
    grouped,
    {
      ...other,
      programs: other.programs.map((one) => ({ ...one, group: one.program === 'api' ? 'site' : null })),
    },
  ];
  const found = (word: string): readonly string[] => select(masters, [word]).found;
  expect(found('site:*')).toEqual(['web', 'site-job', 'api']);
  expect(found('site:site:*')).toEqual(['web', 'site-job']);
  expect(found('blue:*')).toEqual(['api', 'jobs']);
  expect(found('site:queue')).toEqual(['queue']);
  expect(found('site:api')).toEqual(['api']);
  expect(found('jobs:*')).toEqual(['jobs']);
  expect(found('jobs:jobs')).toEqual(['jobs']);
  expect(found('*:*')).toEqual(['web', 'queue', 'site-job', 'api', 'jobs']);
  expect(select(masters, ['none:*']).missing).toEqual(['none:* programNotFound']);
  expect(select(masters, ['a:b:c:d']).missing).toEqual(['a:b:c:d programNotFound']);
});
