import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ground, watching, type Ground } from './watch-support.ts';

/** How people switch a symlink. */
const switches: readonly (readonly [string, (link: string, target: string) => void])[] = [
  [
    'ln -sfn',
    (link, target) => {
      execFileSync('ln', ['-sfn', target, link]);
    },
  ],
  [
    'an atomic rename',
    (link, target) => {
      symlinkSync(target, `${link}.next`);
      renameSync(`${link}.next`, link);
    },
  ],
  [
    'a removal first',
    (link, target) => {
      unlinkSync(link);
      symlinkSync(target, link);
    },
  ],
];

function releases(contents: Readonly<Record<string, string>>): Ground {
  const g = ground();
  for (const [name, content] of Object.entries(contents)) g.write(`releases/${name}/src/app.js`, content);
  return g;
}

describe.each(switches)('a symlink on the way that is switched by %s', (_name, switchTo) => {
  it('is a change, and from then on the new release is what counts', async () => {
    const g = releases({ 41: 'one', 42: 'two', 43: 'three' });
    symlinkSync('releases/41', g.at('current'));
    const path = g.at('current/src/app.js');
    const watched = await watching(g, [path]);
    switchTo(g.at('current'), 'releases/42');
    expect(await watched.nextChange()).toBe(path);
    g.write('releases/41/src/app.js', 'nobody cares');
    await watched.expectNoChange();
    g.write('releases/42/src/app.js', 'repaired');
    expect(await watched.nextChange()).toBe(path);
    switchTo(g.at('current'), g.at('releases/43'));
    expect(await watched.nextChange()).toBe(path);
    rmSync(g.at('releases/41'), { recursive: true });
    rmSync(g.at('releases/42'), { recursive: true });
    await watched.expectNoChange();
    g.write('releases/43/src/app.js', 'repaired again');
    expect(await watched.nextChange()).toBe(path);
  });

  it('is a change even when the file has the same bytes there', async () => {
    const g = releases({ 41: 'same', 42: 'same' });
    symlinkSync('releases/41', g.at('current'));
    const watched = await watching(g, [g.at('current/src/app.js')]);
    switchTo(g.at('current'), 'releases/42');
    expect(await watched.nextChange()).toBe(g.at('current/src/app.js'));
  });

  it('is no change when it still leads to the same release', async () => {
    const g = releases({ 41: 'same' });
    symlinkSync('releases/41', g.at('current'));
    const watched = await watching(g, [g.at('current/src/app.js')]);
    switchTo(g.at('current'), g.at('releases/41'));
    await watched.expectNoChange();
  });

  it('is seen in the middle of a chain of symlinks', async () => {
    const g = releases({ 41: 'one', 42: 'two' });
    mkdirSync(g.at('links'));
    symlinkSync('../releases/41', g.at('links/stage'));
    symlinkSync('links/stage', g.at('current'));
    symlinkSync(g.at('current'), g.at('app'));
    const watched = await watching(g, [g.at('app/src/app.js')]);
    switchTo(g.at('links/stage'), '../releases/42');
    expect(await watched.nextChange()).toBe(g.at('app/src/app.js'));
    g.write('releases/42/src/app.js', 'three');
    expect(await watched.nextChange()).toBe(g.at('app/src/app.js'));
    switchTo(g.at('app'), g.at('releases/41'));
    expect(await watched.nextChange()).toBe(g.at('app/src/app.js'));
    switchTo(g.at('links/stage'), '../releases/41');
    await watched.expectNoChange();
  });

  it('is seen when the file itself is the symlink', async () => {
    const g = releases({ 41: 'one', 42: 'two' });
    symlinkSync('releases/41/src/app.js', g.at('app.js'));
    const watched = await watching(g, [g.at('app.js')]);
    g.write('releases/41/src/app.js', 'one and a half');
    expect(await watched.nextChange()).toBe(g.at('app.js'));
    switchTo(g.at('app.js'), 'releases/42/src/app.js');
    expect(await watched.nextChange()).toBe(g.at('app.js'));
    g.write('releases/42/src/app.js', 'three');
    expect(await watched.nextChange()).toBe(g.at('app.js'));
  });

  it('is seen when it is a watched directory', async () => {
    const g = releases({ 41: 'same', 42: 'same' });
    symlinkSync('releases/41', g.at('current'));
    const watched = await watching(g, [g.at('current')]);
    switchTo(g.at('current'), 'releases/42');
    expect(await watched.nextChange()).toBe(g.at('current'));
    g.write('releases/42/src/deep/new.js', 'new');
    expect(await watched.nextChange()).toBe(g.at('current/src/deep/new.js'));
    g.write('releases/41/src/app.js', 'nobody cares');
    await watched.expectNoChange();
  });
});

describe('a symlink on the way', () => {
  it('that leads nowhere for a while is no change until it leads somewhere', async () => {
    const g = releases({ 41: 'one' });
    symlinkSync('releases/41', g.at('current'));
    const watched = await watching(g, [g.at('current/src/app.js')]);
    execFileSync('ln', ['-sfn', 'releases/42', g.at('current')]);
    await watched.expectNoChange();
    g.write('releases/42/src/app.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('current/src/app.js'));
  });

  it('that leads back to itself is a problem and no change', async () => {
    const g = releases({ 41: 'one' });
    symlinkSync('releases/41', g.at('current'));
    const watched = await watching(g, [g.at('current/src/app.js')]);
    execFileSync('ln', ['-sfn', 'current', g.at('current')]);
    expect(await watched.nextProblem()).toContain('ELOOP');
    await watched.expectNoChange();
    execFileSync('ln', ['-sfn', 'releases/41', g.at('current')]);
    await watched.expectNoChange();
    expect(watched.problems).toHaveLength(1);
  });

  it('that is switched to a release that is not there is said once, and its return is a change', async () => {
    const g = ground();
    g.write('releases/42/app.js', 'old');
    symlinkSync('releases/42', g.at('current'));
    const watched = await watching(g, [g.at('current/app.js')]);
    unlinkSync(g.at('current'));
    symlinkSync('releases/43', g.at('current'));
    expect(await watched.nextProblem()).toContain('current/app.js');
    g.write('releases/43/app.js', 'new');
    expect(await watched.nextChange()).toBe(g.at('current/app.js'));
    expect(watched.problems).toHaveLength(1);
  });
});
