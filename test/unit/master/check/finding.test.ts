import { expect, test } from 'vitest';
import {
  inFileOrder,
  keyOf,
  programNames,
  toProblem,
  type Finding,
} from '../../../../src/master/check/finding.ts';
import { compileOptions } from '../../../../src/master/config/options.ts';

test('an option is called as the user has to write it', () => {
  expect(keyOf({ program: 'shop', option: 'cwd' }, '/srv/graceful.toml')).toBe('program.shop.directory');
  expect(keyOf({ program: 'a.b', option: 'port' }, '/srv/graceful.toml')).toBe('program."a.b".port');
  expect(keyOf({ program: null, option: 'name' }, '/srv/graceful.toml')).toBe('master.name');
  expect(keyOf({ program: '3000', option: 'environmentFile' }, null)).toBe('--environment-file');
  expect(keyOf({ program: '3000', option: 'command' }, null)).toBe('command');
});

test('a finding becomes a problem of the file', () => {
  const finding = { program: 'shop', option: 'port', message: 'in use', hint: 'choose another' } as const;
  expect(toProblem(finding, '/srv/graceful.toml')).toEqual({
    file: '/srv/graceful.toml',
    line: null,
    column: null,
    key: 'program.shop.port',
    message: 'in use',
    hint: 'choose another',
  });
});

test('a program without a name is called as its port', () => {
  expect(programNames(compileOptions({ command: ['node'], port: 3000 }, '/'))).toEqual(['3000']);
  expect(programNames(compileOptions({ command: ['node'], port: 3000, name: 'shop' }, '/'))).toEqual([
    'shop',
  ]);
});

test('a problem is at the place of the value: of the element, else of the key, else of the program', () => {
  const at = (line: number, key: string) => ({ file: '/srv/graceful.toml', line, column: 1, key });
  const places = {
    master: { name: at(2, 'master.name') },
    programs: {
      shop: {
        '': at(4, 'program.shop'),
        listen: at(6, 'program.shop.listen'),
        'listen[1]': at(7, 'program.shop.listen[1]'),
      },
    },
  };
  const placeOf = (finding: Partial<Finding>) => {
    const whole = { program: 'shop', option: 'port', message: '', hint: null, ...finding } as const;
    const { line, key } = toProblem(whole, '/srv/graceful.toml', places);
    return [line, key];
  };
  expect(placeOf({ item: 1 })).toEqual([7, 'program.shop.listen[1]']);
  expect(placeOf({ option: 'cwd' })).toEqual([4, 'program.shop.directory']);
  expect(placeOf({ program: null, option: 'name' })).toEqual([2, 'master.name']);
  expect(placeOf({ program: null, option: 'control' })).toEqual([null, 'master.control']);
});

test('problems come as a reader of the files finds them', () => {
  const at = (file: string | null, line: number | null, column: number | null = null) => ({
    file,
    line,
    column,
    key: null,
    message: '',
    hint: null,
  });
  const found = [at('b', 9), at('a', 5), at('b', 2, 8), at('b', 2, 3), at(null, null), at('a', 1)];
  expect(inFileOrder(found).map(({ file, line, column }) => [file, line, column])).toEqual([
    ['b', 2, 3],
    ['b', 2, 8],
    ['b', 9, null],
    ['a', 1, null],
    ['a', 5, null],
    [null, null, null],
  ]);
});
