import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ground, watching, withoutPrivileges } from './watch-support.ts';

describe('a watched directory', () => {
  it('reports files that are new, changed, renamed or removed, by name', async () => {
    const g = ground();
    g.write('app/index.js', 'one');
    g.write('app/lib/db.js', 'one');
    const watched = await watching(g, [g.at('app')]);
    g.write('app/lib/db.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('app/lib/db.js'));
    g.write('app/lib/new.js', 'one');
    expect(await watched.nextChange()).toBe(g.at('app/lib/new.js'));
    renameSync(g.at('app/lib/new.js'), g.at('app/lib/newer.js'));
    expect(await watched.nextChange()).toBe(g.at('app/lib/newer.js'));
    unlinkSync(g.at('app/lib/newer.js'));
    expect(await watched.nextChange()).toBe(g.at('app/lib/newer.js'));
    await watched.expectNoChange();
  });

  it('follows folders that are made, filled and removed', async () => {
    const g = ground();
    g.write('app/index.js', 'one');
    const watched = await watching(g, [g.at('app')]);
    mkdirSync(g.at('app/empty'));
    await watched.expectNoChange();
    g.write('app/a/b/c/deep.js', 'one');
    expect(await watched.nextChange()).toBe(g.at('app/a/b/c/deep.js'));
    g.write('app/a/b/c/deep.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('app/a/b/c/deep.js'));
    rmSync(g.at('app/a'), { recursive: true });
    expect(await watched.nextChange()).toBe(g.at('app/a/b/c/deep.js'));
    g.write('app/a/b/c/deep.js', 'three');
    expect(await watched.nextChange()).toBe(g.at('app/a/b/c/deep.js'));
  });

  it('ignores what editors, version control and package managers write', async () => {
    const g = ground();
    g.write('app/index.js', 'one');
    const watched = await watching(g, [g.at('app')]);
    const noise = [
      'index.js~',
      '.index.js.swp',
      '.index.js.swx',
      '4913',
      '#index.js#',
      'index.js.tmp',
      'index.js___jb_tmp___',
      '.DS_Store',
    ];
    for (const name of [...noise, 'node_modules/x/index.js', '.git/HEAD', 'lib/.#db.js', 'app.log'])
      g.write(`app/${name}`, 'noise');
    symlinkSync('user@host.1234:1', g.at('app/.#index.js'));
    await watched.expectNoChange();
    g.write('app/index.js.tmp', 'one');
    renameSync(g.at('app/index.js.tmp'), g.at('app/index.js'));
    await watched.expectNoChange();
    renameSync(g.at('app/index.js'), g.at('app/index.js~'));
    g.write('app/index.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('app/index.js'));
  });

  it('follows the symlinks inside it, and is not led in a circle', async () => {
    const g = ground();
    g.write('app/index.js', 'one');
    g.write('shared/1/config.js', 'same');
    g.write('shared/2/config.js', 'same');
    g.write('elsewhere/file.js', 'one');
    symlinkSync('..', g.at('app/up'));
    symlinkSync('../shared/1', g.at('app/shared'));
    symlinkSync('../elsewhere/file.js', g.at('app/file.js'));
    symlinkSync('nowhere', g.at('app/broken'));
    const watched = await watching(g, [g.at('app')]);
    g.write('elsewhere/file.js', 'two');
    expect(await watched.nextChange()).toContain('file.js');
    g.write('shared/1/config.js', 'changed');
    expect(await watched.nextChange()).toContain('config.js');
    unlinkSync(g.at('app/up'));
    await watched.nextChange();
    unlinkSync(g.at('app/shared'));
    symlinkSync('../shared/2', g.at('app/shared'));
    expect(await watched.nextChange()).toBe(g.at('app/shared'));
    g.write('app/nowhere', 'the link leads somewhere now');
    await watched.nextChange();
  });

  it('is no change while it is missing, and found again when it comes back', async () => {
    const g = ground();
    g.write('site/app/index.js', 'one');
    const watched = await watching(g, [g.at('site/app')]);
    rmSync(g.at('site'), { recursive: true });
    await watched.expectNoChange();
    g.write('site/app/index.js', 'one');
    await watched.expectNoChange();
    g.write('site/app/index.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('site/app/index.js'));
  });

  it('is not believed while a new folder in it is still being filled', async () => {
    const g = ground();
    const stableMs = 400;
    g.write('app/index.js', 'one');
    const watched = await watching(g, [g.at('app')], stableMs);
    const change = watched.nextChange().then(() => performance.now());
    let lastWriteAt = 0;
    for (let piece = 0; piece < 15; piece += 1) {
      g.write(`app/new/deep/${piece}.js`, 'one');
      lastWriteAt = performance.now();
      await pause(60);
    }
    expect((await change) - lastWriteAt).toBeGreaterThan(stableMs - 50);
    await watched.expectNoChange();
  });

  it('skips sockets', async () => {
    const g = ground();
    g.write('app/index.js', 'one');
    const watched = await watching(g, [g.at('app')]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(g.at('app/app.sock'), resolve));
    onTestFinished(
      () =>
        new Promise<void>((resolve) =>
          server.close(() => {
            resolve();
          }),
        ),
    );
    await watched.expectNoChange();
    expect(watched.problems).toEqual([]);
  });

  it('with a part that cannot be read says so once, and does not take it for removed', async () => {
    const g = ground();
    g.write('app/index.js', 'one');
    g.write('app/secret/key.js', 'one');
    g.write('app/file.js', 'one');
    for (const path of [g.root, g.at('app')]) chmodSync(path, 0o777);
    const watched = await watching(g, [g.at('app')]);
    const asBefore = withoutPrivileges();
    asBefore(() => {
      chmodSync(g.at('app/secret'), 0o000);
      chmodSync(g.at('app/file.js'), 0o000);
    });
    const said = [await watched.nextProblem(), await watched.nextProblem()];
    expect(said.filter((text) => text.includes(g.at('app/file.js')))).toHaveLength(1);
    asBefore(() => {
      g.write('app/other.js', 'one');
    });
    expect(await watched.nextChange()).toBe(g.at('app/other.js'));
  });
});
