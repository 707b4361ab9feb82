// Whoever sets NODE_OPTIONS on the way to the program: the program gets them, and the worker its preload.
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { runMaster } from '../helpers/run-master.ts';
import { fixture } from './fixture.ts';

interface Self {
  readonly title: string;
  readonly options: string | null;
  readonly execArgv: readonly string[];
  readonly path: string;
  readonly resources: readonly string[];
}

const commands: Readonly<Record<string, readonly string[]>> = {
  'a script of package.json': ['npm', 'run', '--silent', 'option'],
  'an option of npm': ['npm', 'start', '--silent', '--node-options=--title=as-set'],
  'a shell script': ['./start.sh'],
  'env(1)': ['env', 'NODE_OPTIONS=--title=as-set', 'node', 'serves.cjs'],
  'a file, by --env-file': ['node', '--env-file=settings', 'serves.cjs'],
  'a file, by --env-file in a script': ['npm', 'run', '--silent', 'settings'],
  'a shell with a file, by --env-file': ['sh', '-c', 'node --env-file=settings serves.cjs'],
};

test.each(Object.entries(commands))('NODE_OPTIONS set by %s reach the program', async (_, command) => {
  const master = runMaster({ command, cwd: fixture('wrappers') });
  const port = await master.serving();
  const self = JSON.parse((await get(port, '/self')).body) as Self;
  expect(self).toMatchObject({ title: 'as-set', options: '--title=as-set' });
  // Nothing of ours is visible, nor pending.
  expect(self.resources.filter((name) => name === 'Immediate' || name === 'Timeout')).toEqual([]);
  expect(self.execArgv.filter((word) => !word.startsWith('--env-file'))).toEqual([]);
  expect(self.path).not.toContain('worker/shim');
  await master.reload(2);
  expect(await get(port)).toMatchObject({ body: 'generation 2' });
});

test('a program whose script loses the preload fails, and the hint names NODE_OPTIONS', async () => {
  const master = runMaster({
    command: ['./start-by-path.sh', process.execPath, 'serves.cjs'],
    cwd: fixture('wrappers'),
  });
  const { failure } = await master.waitFor('generationFailed');
  expect(failure.reason).toBe('exited');
  expect(failure.hint).toContain('NODE_OPTIONS="$NODE_OPTIONS ');
  expect(await master.exited).toMatchObject({ code: 1 });
});

test('a program that lives on without its preload fails, and the hint names its process and NODE_OPTIONS', async () => {
  const master = runMaster({
    command: ['./start-by-path.sh', process.execPath, 'listens-in-vain.cjs'],
    cwd: fixture('wrappers'),
    flags: ['--ready-timeout', '1s'],
  });
  const { failure } = await master.waitFor('generationFailed');
  expect(failure.reason).toBe('notReady');
  expect(failure.hint).toMatch(/^process \d+ runs Node\.js without the NODE_OPTIONS/);
  expect(await master.exited).toMatchObject({ code: 1 });
});

test('a slow program that has its preload, behind a script and with a helper of its own, is not said to lack it', async () => {
  const script = `require('node:child_process').spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });`;
  const master = runMaster({
    command: ['sh', '-c', '"$@"; exit $?', 'sh', process.execPath, '-e', script],
    env: { NODE_OPTIONS: '--title=as-set' },
    flags: ['--ready-timeout', '1s'],
  });
  const { failure } = await master.waitFor('generationFailed');
  expect(failure.reason).toBe('notReady');
  expect(failure.hint).not.toContain('NODE_OPTIONS');
});
