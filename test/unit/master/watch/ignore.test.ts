import { describe, expect, it } from 'vitest';
import { isIgnored } from '../../../../src/master/watch/ignore.ts';

describe('names in a watched directory', () => {
  it.each([
    'node_modules',
    '.git',
    '.hg',
    '.svn',
    '.DS_Store',
    '4913',
    'app.js~',
    '.#app.js',
    '#app.js#',
    '.app.js.swp',
    '.app.js.swo',
    '.app.js.swx',
    '.app.js.swn',
    'app.swp',
    'app.js.tmp',
    'app.js___jb_tmp___',
    'app.js___jb_old___',
    '.goutputstream-AB12CD',
    '.nfs000000000a1b',
    '.fuse_hidden0000',
    '.app.js.kate-swp',
    '.~lock.list.ods#',
    'app.log',
    'app.pid',
  ])('leave out %s', (name) => {
    expect(isIgnored(name)).toBe(true);
  });

  it.each([
    'app.js',
    '.env',
    '.gitignore',
    'node_modules.js',
    '49130',
    'tmp',
    'tmp.js',
    'log',
    'logger.js',
    'swp',
    'movie.swf',
    'a#b.js',
    '.swcrc',
    'pid.ts',
    '#.js',
  ])('keep %s', (name) => {
    expect(isIgnored(name)).toBe(false);
  });
});
