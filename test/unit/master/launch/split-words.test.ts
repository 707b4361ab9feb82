import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpreterOf, parseShebang } from '../../../../src/master/launch/shebang.ts';
import { lastCommand, splitWords } from '../../../../src/master/launch/split-words.ts';

describe('the words of a command line', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['  node   app.js ', ['node', 'app.js']],
    [`node 'my app.js' "a \\"b\\" c" d\\ e`, ['node', 'my app.js', 'a "b" c', 'd e']],
    [`--a='b c'"d"`, ['--a=b cd']],
    [`''`, ['']],
    ['node "a && b"', ['node', 'a && b']],
    ["it's", ["it's"]],
  ])('of %j are %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it('come back from quotes as they were', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().filter((word) => !word.includes("'")),
          { maxLength: 5 },
        ),
        (words) => {
          expect(splitWords(words.map((word) => `'${word}'`).join(' '))).toEqual(words);
        },
      ),
    );
  });

  it.each<[string, string[]]>([
    ['npm run build && node dist/app.js', ['node', 'dist/app.js']],
    ['node app.js | pino-pretty', ['node', 'app.js']],
    ['a; b || c', ['c']],
    ['tsc -w & node app.js', ['node', 'app.js']],
    ['node app.js &', ['node', 'app.js']],
    ['a && node x | y | z', ['node', 'x']],
  ])('of %j that stay are %j', (line, words) => {
    expect(lastCommand(line)).toEqual(words);
  });
});

describe('the first line of a script', () => {
  it.each<[string, string | null]>([
    ['#!/usr/bin/env node', 'node'],
    ['#!/usr/bin/env -S node --flag', 'node'],
    ['#!/usr/bin/env -Snode --flag', 'node'],
    ['#!/usr/bin/env -i A=b /opt/node20/bin/node', 'node'],
    ['#!/usr/local/bin/node\nx', 'node'],
    ['#! /bin/sh -e', 'sh'],
    ['#!/usr/bin/env', 'env'],
    ['// #!/usr/bin/env node', null],
    ['#!\nnode', null],
  ])('%j names %j', (text, name) => {
    const shebang = parseShebang(text);
    expect(shebang === null ? null : interpreterOf(shebang)).toBe(name);
  });
});
