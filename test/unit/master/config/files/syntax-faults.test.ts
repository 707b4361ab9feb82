// Everything that is wrong with the text of a file is told at once, as far as one fault does not cause another.
import { expect, test } from 'vitest';
import { SyntaxFaults, type Parsed } from '../../../../../src/master/config/files/document.ts';
import { parseJson } from '../../../../../src/master/config/files/parse-json.ts';
import { parseToml } from '../../../../../src/master/config/files/parse-toml.ts';
import { parseYaml } from '../../../../../src/master/config/files/parse-yaml.ts';

/** The lines with a fault. */
function faultyLines(
  parse: (text: string) => Parsed,
  ...lines: readonly string[]
): readonly (number | null)[] {
  try {
    parse(`${lines.join('\n')}\n`);
  } catch (error) {
    if (error instanceof SyntaxFaults) return error.faults.map(({ at }) => at?.line ?? null);
    throw error;
  }
  return [];
}

test.each<[title: string, lines: readonly string[], faulty: readonly number[]]>([
  ['values that are missing or have no quotes', ['a =', 'b = 1', 'c = yes', '[t]', 'd = "x', 'e = 2 3'], [1, 3, 5, 6]],
  ['a list that is not closed', ['a = [1,', 'b = 2', 'c = 3', '[t]', 'd = 4', 'e = '], [1, 6]],
  ['a list without a comma', ['a = [', '  "x"', '  "y"', ']', 'b = ', 'c = 1'], [3, 5]],
  ['a string of many lines that is not closed', ['a = ', 'b = """', 'c = 1', 'd = '], [1, 2, 4]],
  ['keys and tables that are written twice', ['a = 1', 'a = 2', '[t]', 'b = 1', '[t]', 'b = 2', '[u]', 'c = no'], [2, 5, 8]],
  ['what looks like keys in a string and in a table', ['a = """', 'b = x', '[c]', '"""', 'd = {', '  e = 1,', '  f = 2', '}', 'g ='], [9]],
  ['headers', ['[program:a]', 'x = 1', '[program.b]', 'y = 1', '[program c]', 'x = 2'], [1, 5]],
])('TOML: %s', (_, lines, faulty) => {
  expect(faultyLines(parseToml, ...lines)).toEqual(faulty);
}); // prettier-ignore

test('TOML: no more than a screen full of faults', () => {
  const lines = Array.from({ length: 200 }, (_, index) => `a${index} =`);
  expect(faultyLines(parseToml, ...lines)).toHaveLength(20);
});

test.each<[title: string, lines: readonly string[], faulty: readonly number[]]>([
  ['comments', ['{', '"a": 1, // one', '"b": 2', '# two', '}'], [2, 4]],
  ['commas', ['{', '"a": 1', '"b": [1, 2,],', '"c": 3,', '}'], [3, 5]],
  ['values', ['{', '"a": yes,', '"b": \'x\',', '"c": 1', '}'], [2, 3]],
  ['keys that are written twice, beside others', ['{', '"a": 1,', '"a": 2,', '"b": no', '}'], [3, 4]],
  ['a string that is not closed', ['{', '"a": "x,', '"b": "\\x"', '}'], [2, 3]],
  ['no end', ['{', '"a": {', '"b": 1', '}'], [5]],
])('JSON: %s', (_, lines, faulty) => {
  expect(faultyLines(parseJson, ...lines)).toEqual(faulty);
});

test('YAML: every fault', () => {
  expect(faultyLines(parseYaml, 'a: "x', 'b: [1', 'c: 1', 'c: 2').length).toBeGreaterThan(0);
  expect(faultyLines(parseYaml, 'a: 1', 'a: 2', 'b: {c: 1, c: 2}', 'd: &x 1', 'd: *x')).toEqual([2, 3, 5]);
});
