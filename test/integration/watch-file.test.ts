import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { GracefulRunError } from '../../src/shared/errors.ts';
import { startWatch } from '../../src/master/watch/start-watch.ts';
import { ground, inotifyWatches, watching, withoutPrivileges } from './watch-support.ts';

const ignore = (): void => undefined;

describe('a watched file', () => {
  it('is reported when it is written in place', async () => {
    const g = ground();
    g.write('app/app.js', 'one');
    const watched = await watching(g, [g.at('app/app.js')]);
    g.write('app/app.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('app/app.js'));
    g.write('app/app.js', 'one');
    expect(await watched.nextChange()).toBe(g.at('app/app.js'));
    await watched.expectNoChange();
  });

  it('is reported once for several writes in a row', async () => {
    const g = ground();
    g.write('app.js', 'one');
    const watched = await watching(g, [g.at('app.js')]);
    for (let count = 0; count < 20; count += 1) g.write('app.js', `write ${count}`);
    expect(await watched.nextChange()).toBe(g.at('app.js'));
    await watched.expectNoChange();
  });

  it('is reported once, after it was stable for the whole time, when it is written slowly in pieces', async () => {
    const g = ground();
    const stableMs = 600;
    g.write('app.js', 'one');
    const watched = await watching(g, [g.at('app.js')], stableMs);
    const change = watched.nextChange().then(() => performance.now());
    writeFileSync(g.at('app.js'), '');
    let lastWriteAt = 0;
    for (let piece = 0; piece < 15; piece += 1) {
      await pause(60);
      appendFileSync(g.at('app.js'), `piece ${piece}\n`);
      lastWriteAt = performance.now();
    }
    expect((await change) - lastWriteAt).toBeGreaterThan(stableMs - 50);
    await watched.expectNoChange();
  });

  it('is reported when another file is renamed over it, again and again', async () => {
    const g = ground();
    g.write('app.js', 'zero');
    const watched = await watching(g, [g.at('app.js')]);
    for (let round = 0; round < 3; round += 1) {
      g.write('app.js.tmp', `round ${round}`);
      renameSync(g.at('app.js.tmp'), g.at('app.js'));
      expect(await watched.nextChange()).toBe(g.at('app.js'));
    }
    g.write('app.js', 'in place, in the file that came last');
    expect(await watched.nextChange()).toBe(g.at('app.js'));
  });

  it('is not reported for a touch, the same bytes or other permissions', async () => {
    const g = ground();
    g.write('app.js', 'one');
    const watched = await watching(g, [g.at('app.js')]);
    utimesSync(g.at('app.js'), new Date(), new Date());
    await watched.expectNoChange();
    g.write('app.js', 'one');
    await watched.expectNoChange();
    g.write('new', 'one');
    renameSync(g.at('new'), g.at('app.js'));
    await watched.expectNoChange();
    chmodSync(g.at('app.js'), 0o755);
    await watched.expectNoChange();
  });

  it('is not reported while it is missing, nor when it comes back with the same content', async () => {
    const g = ground();
    g.write('app.js', 'one');
    const watched = await watching(g, [g.at('app.js')]);
    unlinkSync(g.at('app.js'));
    await watched.expectNoChange();
    g.write('app.js', 'one');
    await watched.expectNoChange();
    unlinkSync(g.at('app.js'));
    await watched.expectNoChange();
    g.write('app.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('app.js'));
  });

  it('is found again when its folders are removed and made anew', async () => {
    const g = ground();
    g.write('a/b/c/app.js', 'one');
    const watched = await watching(g, [g.at('a/b/c/app.js')]);
    for (const content of ['two', 'three']) {
      rmSync(g.at('a'), { recursive: true });
      await watched.expectNoChange();
      g.write('a/b/c/app.js', content);
      expect(await watched.nextChange()).toBe(g.at('a/b/c/app.js'));
    }
    rmSync(g.at('a'), { recursive: true });
    g.write('a/b/c/app.js', 'without a pause');
    expect(await watched.nextChange()).toBe(g.at('a/b/c/app.js'));
    g.write('a/b/c/app.js', 'and then in place');
    expect(await watched.nextChange()).toBe(g.at('a/b/c/app.js'));
  });

  it('is found again when a folder above it is renamed away and another takes its place', async () => {
    const g = ground();
    g.write('live/src/app.js', 'one');
    g.write('next/src/app.js', 'two');
    const watched = await watching(g, [g.at('live/src/app.js')]);
    renameSync(g.at('live'), g.at('old'));
    renameSync(g.at('next'), g.at('live'));
    expect(await watched.nextChange()).toBe(g.at('live/src/app.js'));
    g.write('old/src/app.js', 'nobody cares');
    await watched.expectNoChange();
    g.write('live/src/app.js', 'three');
    expect(await watched.nextChange()).toBe(g.at('live/src/app.js'));
  });

  it('is found again below a folder that everybody may use, such as /tmp, without listening to all of that', async () => {
    const g = ground();
    g.write('tmp/live/app.js', 'one');
    g.write('tmp/next/app.js', 'two');
    g.write('other/app.js', 'one');
    const plain = await inotifyWatchesFor(g.at('other/app.js'));
    chmodSync(g.at('tmp'), 0o1777);
    expect(await inotifyWatchesFor(g.at('tmp/live/app.js'))).toBe(plain);
    const watched = await watching(g, [g.at('tmp/live/app.js')]);
    renameSync(g.at('tmp/live'), g.at('tmp/old'));
    renameSync(g.at('tmp/next'), g.at('tmp/live'));
    expect(await watched.nextChange()).toBe(g.at('tmp/live/app.js'));
    rmSync(g.at('tmp/live'), { recursive: true });
    await watched.expectNoChange();
    g.write('tmp/live/app.js', 'three');
    expect(await watched.nextChange()).toBe(g.at('tmp/live/app.js'));
  });

  it('is told apart from its neighbours', async () => {
    const g = ground();
    g.write('app.js', 'one');
    const watched = await watching(g, [g.at('app.js')]);
    g.write('other.js', 'one');
    g.write('app.js~', 'zero');
    await watched.expectNoChange();
  });

  it('counts as missing while a folder has its name', async () => {
    const g = ground();
    g.write('app.js', 'one');
    const watched = await watching(g, [g.at('app.js')]);
    unlinkSync(g.at('app.js'));
    mkdirSync(g.at('app.js'));
    rmSync(g.at('app.js'), { recursive: true });
    g.write('app.js', 'one');
    await watched.expectNoChange();
  });

  it('that cannot be read is a problem, said once, and no change', async () => {
    const g = ground();
    g.write('app.js', 'one');
    chmodSync(g.root, 0o777);
    const watched = await watching(g, [g.at('app.js')]);
    const asBefore = withoutPrivileges();
    asBefore(() => {
      chmodSync(g.at('app.js'), 0o000);
    });
    expect(await watched.nextProblem()).toContain(g.at('app.js'));
    asBefore(() => {
      chmodSync(g.at('app.js'), 0o200);
    });
    asBefore(() => {
      g.write('app.js', 'not readable either');
    });
    await watched.expectNoChange(asBefore);
    expect(watched.problems).toHaveLength(1);
    asBefore(() => {
      chmodSync(g.at('app.js'), 0o644);
    });
    expect(await watched.nextChange()).toBe(g.at('app.js'));
  });
});

describe('several watched paths', () => {
  it('that change together are one change', async () => {
    const g = ground();
    g.write('a.js', 'one');
    g.write('b.js', 'one');
    const watched = await watching(g, [g.at('a.js'), g.at('b.js')]);
    g.write('b.js', 'two');
    g.write('a.js', 'two');
    expect(await watched.nextChange()).toBe(g.at('a.js'));
    await watched.expectNoChange();
  });
});

describe('starting and closing a watch', () => {
  it('refuses a path that does not exist, and holds nothing afterwards', async () => {
    const g = ground();
    g.write('app.js', 'one');
    const before = inotifyWatches();
    const started = startWatch({
      paths: [g.at('app.js'), g.at('missing.js')],
      stableMs: 200,
      onChange: ignore,
      onProblem: ignore,
    });
    const error: unknown = await started.then(ignore, (reason: unknown) => reason);
    expect(error).toBeInstanceOf(GracefulRunError);
    expect(error).toHaveProperty('code', 'notWatchable');
    expect(error).toHaveProperty('hint', expect.any(String));
    expect(inotifyWatches()).toBe(before);
  });

  it('lets go of every inotify watch, also in the middle of a change, and stays silent', async () => {
    const g = ground();
    g.write('tree/a/b/c.js', 'one');
    g.write('tree/d/e.js', 'one');
    const before = inotifyWatches();
    const changes: string[] = [];
    const onChange = (path: string): void => void changes.push(path);
    const quiet = await startWatch({ paths: [g.at('tree')], stableMs: 50, onChange, onProblem: ignore });
    expect(inotifyWatches()).toBeGreaterThan(before);
    await quiet.close();
    expect(inotifyWatches()).toBe(before);
    const witness = await watching(g, [], 50);
    const held = inotifyWatches();
    const busy = await startWatch({ paths: [g.at('tree')], stableMs: 0, onChange, onProblem: ignore });
    g.write('tree/a/b/c.js', 'two');
    g.write('tree/new/f.js', 'two');
    await busy.close();
    await busy.close();
    expect(inotifyWatches()).toBe(held);
    await witness.expectNoChange();
    expect(changes).toEqual([]);
  });

  it('lets go of the directories of a release that is no longer used', async () => {
    const g = ground();
    g.write('tree/app.js', 'one');
    for (let folder = 0; folder < 20; folder += 1) g.write(`tree/${folder}/x.js`, 'one');
    const watched = await watching(g, [g.at('tree')]);
    const before = inotifyWatches();
    for (let folder = 0; folder < 20; folder += 1) rmSync(g.at(`tree/${folder}`), { recursive: true });
    await watched.nextChange();
    expect(inotifyWatches()).toBe(before - 20);
  });
});

async function inotifyWatchesFor(path: string): Promise<number> {
  const before = inotifyWatches();
  const watch = await startWatch({ paths: [path], stableMs: 200, onChange: ignore, onProblem: ignore });
  const held = inotifyWatches() - before;
  await watch.close();
  return held;
}
