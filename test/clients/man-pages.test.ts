// The manual pages, as the programs that show them read them.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canRun, isRequired } from '../helpers/required-programs.ts';

const root = new URL('../..', import.meta.url).pathname;
const { man: pages } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly man: readonly string[];
};

test('the package has a manual page for each command, and one for the config file', () => {
  expect(pages).toEqual(['man/graceful-run.1', 'man/gracefulctl.1', 'man/graceful.toml.5']);
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--dry-run', '--json'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for (const page of pages) expect(packed).toContain(page);
});

test.each(pages)('mandoc has nothing to say about %s', (page) => {
  const { stdout, error } = spawnSync('mandoc', ['-Tlint', page], { cwd: root, encoding: 'utf8' });
  if (error !== undefined) {
    expect(isRequired).toBe(false);
    return;
  }
  // There is no release yet whose date could stand there.
  expect(stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'))).toEqual([]);
});

test.runIf(canRun(['man']))('man shows every option and every key without a warning', () => {
  const shown = pages.map((page) => {
    const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-l', page], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80', MAN_KEEP_FORMATTING: '', PAGER: 'cat' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout;
  });
  expect(shown[0]).toContain('--drain-timeout <time>');
  expect(shown[0]).toContain('EXIT STATUS');
  expect(shown[1]).toContain('--wait[=serving|settled|drained]');
  expect(shown[2]).toContain('drain_timeout (duration)');
});
