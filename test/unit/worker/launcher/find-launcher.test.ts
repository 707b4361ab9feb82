import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLauncher } from '../../../../src/worker/launcher/find-launcher.ts';

describe('a package manager', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'graceful-run-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function script(path: string, packageName: string): string {
    const root = join(folder, 'package');
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: packageName }));
    writeFileSync(join(root, path), '');
    return join(root, path);
  }

  it('is known by its package, also behind a symbolic link', () => {
    symlinkSync(script('bin/npm-cli.js', 'npm'), join(folder, 'start'));
    expect(findLauncher(join(folder, 'start'))).toBe('npm');
    expect(findLauncher(script('bin/pnpm.cjs', 'pnpm'))).toBe('pnpm');
    expect(findLauncher(script('.yarn/releases/yarn-4.5.0.cjs', 'my-app'))).toBe('yarn');
  });

  it('is not an application of a similar name', () => {
    expect(findLauncher(script('npm-mirror.js', 'my-mirror'))).toBe(null);
    expect(findLauncher(script('server.js', 'npm'))).toBe(null);
    expect(findLauncher(join(folder, 'missing.js'))).toBe(null);
    expect(findLauncher(undefined)).toBe(null);
  });
});
