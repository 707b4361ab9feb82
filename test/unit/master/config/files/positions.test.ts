// Where the keys and values of a file stand, in each format.
import { expect, test } from 'vitest';
import { type Parsed, SyntaxFaults } from '../../../../../src/master/config/files/document.ts';
import { parseJson } from '../../../../../src/master/config/files/parse-json.ts';
import { parseToml } from '../../../../../src/master/config/files/parse-toml.ts';
import { parseYaml } from '../../../../../src/master/config/files/parse-yaml.ts';

/** `path@key line:column=value@line:column` of everything. */
function places(parsed: Parsed, path = ''): readonly string[] {
  const at = (place: { line: number; column: number } | null): string =>
    place === null ? '-' : `${place.line}:${place.column}`;
  if (parsed.kind === 'table')
    return [...parsed.entries].flatMap(([key, { keyAt, value }]) => [
      `${path}${key} ${at(keyAt)}`,
      ...places(value, `${path}${key}.`),
    ]);
  if (parsed.kind === 'list') return parsed.items.flatMap((item, index) => places(item, `${path}${index}.`));
  return [
    `${path} ${at(parsed.at)} ${parsed.kind === 'scalar' ? JSON.stringify(parsed.value) : parsed.what}`,
  ];
}

test('TOML: tables, dotted keys, inline tables, lists', () => {
  expect(places(parseToml('a.b = 1\r\n[c."d e"]\nf = [true,\n "x"]\ng = {h = 1.5}\n[[i]]\nj=1\n[[i]]\nj=2\n[i.k]\nl=1\n'))).toEqual([
    'a 1:1', 'a.b 1:3', 'a.b. 1:7 1',
    'c 2:2', 'c.d e 2:4', 'c.d e.f 3:1', 'c.d e.f.0. 3:6 true', 'c.d e.f.1. 4:2 "x"', 'c.d e.g 5:1', 'c.d e.g.h 5:6', 'c.d e.g.h. 5:10 1.5',
    'i 6:3', 'i.0.j 7:1', 'i.0.j. 7:3 1', 'i.1.j 9:1', 'i.1.j. 9:3 2', 'i.1.k 10:4', 'i.1.k.l 11:1', 'i.1.k.l. 11:3 1',
  ]); // prettier-ignore
});

test('TOML: a super table after its sub table', () => {
  expect(places(parseToml('[a.b]\nc=1\n[a]\nd=2\n'))).toEqual([
    'a 1:2',
    'a.b 1:4',
    'a.b.c 2:1',
    'a.b.c. 2:3 1',
    'a.d 4:1',
    'a.d. 4:3 2',
  ]);
});

test('TOML: a date is no text', () => {
  expect(places(parseToml('a = 1979-05-27T07:32:00Z'))).toEqual(['a 1:1', 'a. 1:5 a date or a time']);
});

test('TOML: a key that is called __proto__', () => {
  expect(places(parseToml('[__proto__]\na=1\n'))).toEqual([
    '__proto__ 1:2',
    '__proto__.a 2:1',
    '__proto__.a. 2:3 1',
  ]);
});

test('YAML: tables, lists, anchors and merge keys', () => {
  expect(places(parseYaml('a: &x\n  b: 1\n  c: [2]\nd:\n  <<: *x\n  b: 3\ne: *x\n"f g": ~\n1: y\n'))).toEqual([
    'a 1:1', 'a.b 2:3', 'a.b. 2:6 1', 'a.c 3:3', 'a.c.0. 3:7 2',
    'd 4:1', 'd.b 6:3', 'd.b. 6:6 3', 'd.c 3:3', 'd.c.0. 3:7 2',
    'e 7:1', 'e.b 2:3', 'e.b. 2:6 1', 'e.c 3:3', 'e.c.0. 3:7 2',
    'f g 8:1', 'f g. 8:8 null', '1 9:1', '1. 9:4 "y"',
  ]); // prettier-ignore
});

test('YAML: words that were booleans before version 1.2 are texts', () => {
  expect(places(parseYaml('a: yes\nb: off\nc: 0x10\nd: 1:30\ne: true\n')).filter((_, index) => index % 2 === 1)).toEqual([
    'a. 1:4 "yes"', 'b. 2:4 "off"', 'c. 3:4 16', 'd. 4:4 "1:30"', 'e. 5:4 true',
  ]); // prettier-ignore
});

test('JSON', () => {
  expect(places(parseJson('{"a": [1, null],\n\t"b": {"__proto__": false}}\r\n'))).toEqual([
    'a 1:2', 'a.0. 1:8 1', 'a.1. 1:11 null', 'b 2:2', 'b.__proto__ 2:8', 'b.__proto__. 2:21 false',
  ]); // prettier-ignore
});

test('YAML tells all faults of a text', () => {
  const faultsOf = (text: string): unknown => {
    try {
      return parseYaml(text);
    } catch (error) {
      return error instanceof SyntaxFaults ? error.faults.map(({ at }) => at) : error;
    }
  };
  expect(faultsOf('a: 1\na: 2\nb: 1\nb: 2\n')).toEqual([
    { line: 2, column: 1 },
    { line: 4, column: 1 },
  ]);
});
