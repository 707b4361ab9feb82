import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEnvFile } from '../../../src/master/program/env-file.ts';
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

  it('with a line that sets nothing is refused: the variable of the next line would be missing', () => {
    const cwd = folderWith({ '.env': 'A=1\nBROKEN LINE\nB=2\n' });
    const error = errorOf(() => readEnvFile(join(cwd, '.env')));
    expect(error.code).toBe('envFileUnreadable');
    expect(error.message).toContain('BROKEN LINE');
  });

  it('that is missing or a folder is refused with a hint', () => {
    const cwd = folderWith({});
    for (const path of [join(cwd, '.env'), cwd]) {
      const error = errorOf(() => readEnvFile(path));
      expect(error.code).toBe('envFileUnreadable');
      expect(error.hint).not.toBe(null);
    }
  });
});
