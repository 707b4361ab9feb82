import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  findLauncher,
  findMainScript,
  isCommandOfPackage,
} from '../../../../src/worker/launcher/find-launcher.ts';

const launcherOf = (path: string | undefined): string | null => findLauncher(findMainScript(path));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'graceful-run-test-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a package manager', () => {
  function script(path: string, packageName: string): string {
    const root = join(folder, 'package');
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, 'package.json'), JSON.stringify({ name: packageName }));
    writeFileSync(join(root, path), '');
    return join(root, path);
  }

  it('is known by its package, also behind a symbolic link', () => {
    symlinkSync(script('bin/npm-cli.js', 'npm'), join(folder, 'start'));
    expect(launcherOf(join(folder, 'start'))).toBe('npm');
    expect(launcherOf(script('bin/pnpm.cjs', 'pnpm'))).toBe('pnpm');
    expect(launcherOf(script('.yarn/releases/yarn-4.5.0.cjs', 'my-app'))).toBe('yarn');
  });

  it('is not an application of a similar name', () => {
    expect(launcherOf(script('npm-mirror.js', 'my-mirror'))).toBe(null);
    expect(launcherOf(script('server.js', 'npm'))).toBe(null);
    expect(launcherOf(join(folder, 'missing.js'))).toBe(null);
    expect(launcherOf(undefined)).toBe(null);
  });
});

describe('a command of a package', () => {
  it.each([
    ['/srv/app/node_modules/concurrently/dist/bin/concurrently.js', true],
    ['/srv/app/.yarn/releases/yarn-4.5.0.cjs', true],
    ['/usr/lib/corepack/dist/pnpm.js', true],
    ['/usr/lib/npm/bin/npx-cli.js', true],
    ['/srv/app/server.js', false],
    ['/srv/npm/server.js', false],
  ])('%s: %s', (path, expected) => {
    expect(isCommandOfPackage(findMainScript(path))).toBe(expected);
  });

  it('is known behind a symbolic link', () => {
    const script = join(folder, 'node_modules', 'tool', 'cli.js');
    mkdirSync(join(script, '..'), { recursive: true });
    writeFileSync(script, '');
    symlinkSync(script, join(folder, 'tool'));
    expect(isCommandOfPackage(findMainScript(join(folder, 'tool')))).toBe(true);
  });

  it('is not found in a process without a main script', () => {
    expect(isCommandOfPackage(findMainScript(undefined))).toBe(false);
  });
});
