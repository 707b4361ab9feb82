import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Hashes } from '../../../../src/master/watch/content-hashes.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'graceful-hashes-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

describe('the hash of a file', () => {
  it('depends on the content alone, whatever its size', async () => {
    const at = folder();
    const hashes = new Hashes();
    writeFileSync(join(at, 'a'), 'x'.repeat(200_000));
    writeFileSync(join(at, 'b'), 'x'.repeat(200_000));
    writeFileSync(join(at, 'c'), 'x'.repeat(199_999) + 'y');
    const [a, b, c] = [
      await hashes.hashOf(join(at, 'a')),
      await hashes.hashOf(join(at, 'b')),
      await hashes.hashOf(join(at, 'c')),
    ];
    expect(a.kind).toBe('hash');
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  it('is taken anew after a write of the same size, even one that sets the time back', async () => {
    const at = join(folder(), 'a');
    const hashes = new Hashes();
    const time = new Date(1_000_000_000_000);
    const seen = new Set<string>();
    for (const content of ['one', 'two', 'six']) {
      writeFileSync(at, content);
      utimesSync(at, time, time);
      seen.add(JSON.stringify(await hashes.hashOf(at)));
      hashes.forgetUnused();
    }
    expect(seen.size).toBe(3);
  });

  it('says what is missing or is no regular file, without waiting for a writer', async () => {
    const at = folder();
    const hashes = new Hashes();
    execFileSync('mkfifo', [join(at, 'pipe')]);
    expect(await hashes.hashOf(join(at, 'nothing'))).toEqual({ kind: 'missing' });
    expect(await hashes.hashOf(join(at, 'pipe'))).toEqual({ kind: 'missing' });
    expect(await hashes.hashOf(at)).toEqual({ kind: 'missing' });
  });
});
