// The package as `npm pack` makes it and `npm install --global` installs it: its commands and manual pages are found by their names.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shells } from '../../src/shared/completion.ts';
import { canRun } from '../helpers/required-programs.ts';

const root = new URL('../..', import.meta.url).pathname;
let prefix = '';
let env: NodeJS.ProcessEnv = {};

/** Packs the files of a folder. Returns the path of the package. */
function pack(folder: string, destination: string): string {
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', destination];
  return join(destination, execFileSync('npm', args, { cwd: folder, encoding: 'utf8' }).trim());
}

beforeAll(() => {
  prefix = mkdtempSync(join(tmpdir(), 'gr-installed-'));
  // Without a registry, npm installs no dependencies: they are taken out of the package, and those of this checkout are linked.
  const unpacked = join(prefix, 'unpacked');
  mkdirSync(unpacked);
  execFileSync('tar', ['-xzf', pack(root, prefix), '--strip-components=1', '-C', unpacked]);
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as object;
  writeFileSync(join(unpacked, 'package.json'), JSON.stringify({ ...manifest, dependencies: {} }));
  const options = ['--global', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...options, '--prefix', prefix, pack(unpacked, unpacked)], {
    cwd: prefix,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  symlinkSync(join(root, 'node_modules'), join(prefix, 'lib/node_modules/graceful-run/node_modules'));
  env = {
    ...process.env,
    PATH: `${join(prefix, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    LC_ALL: 'C.UTF-8',
    MANWIDTH: '80',
    PAGER: 'cat',
  };
}, 120_000);
afterAll(() => {
  rmSync(prefix, { recursive: true, force: true });
});

test.runIf(canRun(['man'])).each([
  ['1', 'graceful-run', '--drain-timeout'],
  ['1', 'gracefulctl', 'EXIT STATUS'],
  ['5', 'graceful.toml', 'drain_timeout (duration)'],
])('man %s %s shows the installed page', (section, name, content) => {
  const { status, stdout, stderr } = spawnSync(
    'man',
    ['-M', join(prefix, 'share/man'), '--warnings', section, name],
    { env, encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(content);
});

test.each(['graceful-run', 'gracefulctl'])(
  'the installed %s tells its version, and completes in every shell',
  (command) => {
    const run = (...words: readonly string[]): string =>
      execFileSync(command, words, { env, cwd: prefix, encoding: 'utf8' }).trim();
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    expect(run('--version')).toBe(version);
    for (const shell of shells) {
      const script = run('completion', shell);
      expect(script).toContain(command);
    }
  },
);
