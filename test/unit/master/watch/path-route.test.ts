import { describe, expect, it } from 'vitest';
import { followRoute, inside, type Entry } from '../../../../src/master/watch/path-route.ts';

/** A file system as a table: `-> target` is a symlink, `file`, `directory`; what is not there is missing. Records the look-ups. */
function world(table: Readonly<Record<string, string>>): {
  look: (directory: string, name: string) => Entry;
  looked: string[];
} {
  const looked: string[] = [];
  const look = (directory: string, name: string): Entry => {
    const path = inside(directory, name);
    looked.push(path);
    const what = table[path];
    if (what === undefined) return { kind: 'missing' };
    if (what.startsWith('-> ')) return { kind: 'link', target: what.slice(3) };
    if (what === 'file' || what === 'directory') return { kind: what };
    return { kind: 'unreadable', code: what };
  };
  return { look, looked };
}

describe('the route of a path', () => {
  const deploy = {
    '/srv': 'directory',
    '/srv/app': 'directory',
    '/srv/app/current': '-> releases/42',
    '/srv/app/releases': 'directory',
    '/srv/app/releases/42': 'directory',
    '/srv/app/releases/42/app.js': 'file',
    '/srv/app/releases/42/up.js': '-> ../41/app.js',
    '/srv/app/releases/41': 'directory',
    '/srv/app/releases/41/app.js': 'file',
    '/srv/app/absolute': '-> /opt/app',
    '/opt': '-> srv',
    '/srv/loop': '-> loop',
    '/srv/secret': 'EACCES',
  };

  it('passes through every place where its meaning can change, in order', () => {
    const { look, looked } = world(deploy);
    expect(followRoute('/srv/app/current/app.js', look)).toEqual({
      kind: 'file',
      realpath: '/srv/app/releases/42/app.js',
    });
    expect(looked).toEqual([
      '/srv',
      '/srv/app',
      '/srv/app/current',
      '/srv/app/releases',
      '/srv/app/releases/42',
      '/srv/app/releases/42/app.js',
    ]);
  });

  it('starts at the root again for an absolute symlink, and follows symlinks to symlinks', () => {
    const { look, looked } = world(deploy);
    expect(followRoute('/srv/app/absolute/current', look)).toEqual({
      kind: 'directory',
      realpath: '/srv/app/releases/42',
    });
    expect(looked).toContain('/opt');
  });

  it('ends at the place where something will have to appear', () => {
    const { look, looked } = world(deploy);
    expect(followRoute('/srv/app/later/app.js', look)).toEqual({ kind: 'missing' });
    expect(looked.at(-1)).toBe('/srv/app/later');
  });

  it.each([
    ['/', { kind: 'directory', realpath: '/' }],
    ['//srv/./app/', { kind: 'directory', realpath: '/srv/app' }],
    ['/srv/app/current/../41/app.js', { kind: 'file', realpath: '/srv/app/releases/41/app.js' }],
    ['/srv/app/current/up.js', { kind: 'file', realpath: '/srv/app/releases/41/app.js' }],
    ['/../../srv', { kind: 'directory', realpath: '/srv' }],
    ['/srv/app/current/app.js/below', { kind: 'missing' }],
    ['/srv/loop/x', { kind: 'unreadable', code: 'ELOOP' }],
    ['/srv/secret/x', { kind: 'unreadable', code: 'EACCES' }],
  ])('of %s is what the kernel says', (path, route) => {
    expect(followRoute(path, world(deploy).look)).toEqual(route);
  });
});
