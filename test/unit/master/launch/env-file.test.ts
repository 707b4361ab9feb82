import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnvFile } from '../../../../src/master/launch/env-file.ts';
import { errorOf, folderWith } from './support.ts';

describe('an environment file', () => {
  it('is read as Node.js reads one', () => {
    const cwd = folderWith({
      '.env': '# a comment\nPORT=3000\nexport NAME="two words" # why\nEMPTY=\nLINES="a\nb"\n',
    });
    expect(readEnvFile(join(cwd, '.env'))).toEqual({
      PORT: '3000',
      NAME: 'two words',
      EMPTY: '',
      LINES: 'a\nb',
    });
  });

  it('may set a variable called __proto__', () => {
    const path = join(folderWith({ '.env': '__proto__=1\nA=2\n' }), '.env');
    expect(Object.entries(readEnvFile(path))).toEqual([
      ['__proto__', '1'],
      ['A', '2'],
    ]);
  });

  it('is no pipe: nobody may be there to write, and the second start would find it empty', () => {
    const path = join(folderWith({}), 'pipe');
    execFileSync('mkfifo', [path]);
    expect(errorOf(() => readEnvFile(path))).toMatchObject({ code: 'envFileUnreadable' });
  });

  it('may have an assignment in any form that Node.js knows', () => {
    const read = (text: string): unknown => readEnvFile(join(folderWith({ '.env': text }), '.env'));
    expect(read("A='a  \n\n# b\nC=1\n' # c\nB=2")).toEqual({ A: 'a  \n\n# b\nC=1\n', B: '2' });
    expect(read('A=1\r\n\r\n  # b\r\n\tB = `x y`\r\n')).toEqual({ A: '1', B: 'x y' });
    expect(read('A=\'tis\nB= \nC=x # y\nexport  D=1=2\nE="x')).toEqual({
      A: "'tis",
      B: '',
      C: 'x',
      D: '1=2',
      E: '"x',
    });
    expect(read('A=1\nA=2\n')).toEqual({ A: '2' });
    expect(read('')).toEqual({});
  });

  it.for([
    ['words before the next variable', 'A=1\nBROKEN LINE\nB=2\n', 2],
    ['a value without a name', 'A=1\n=x\nB=2', 2],
    ['a name without a value at the end', 'A=1\n\nDB_PASSWORD', 3],
    ['a name and its value without =', '# x\nDB_PASSWORD secret\n', 2],
    ['a name of two words', 'A=1\nDB PASSWORD=secret\n', 2],
    ['export alone', 'export\nA=1\n', 1],
    ['a word below a value of several lines', 'A="1\n2"\nsecret\n', 3],
    ['what follows the closing quote of several lines', "A='tis secret\nB='x'\n", 2],
  ] as const)(
    'that has a line that sets nothing is refused, by its number and not by what it says: %s',
    ([, text, line]) => {
      const cwd = folderWith({ '.env': text });
      const error = errorOf(() => readEnvFile(join(cwd, '.env')));
      expect(error.code).toBe('envFileUnreadable');
      expect(error.message).toContain(`line ${line}`);
      // It may be the half of a password.
      expect(error.message).not.toContain('secret');
    },
  );

  it('that is missing or a folder is refused with a hint', () => {
    const cwd = folderWith({});
    for (const path of [join(cwd, '.env'), cwd]) {
      const error = errorOf(() => readEnvFile(path));
      expect(error.code).toBe('envFileUnreadable');
      expect(error.hint).not.toBe(null);
    }
  });
});
