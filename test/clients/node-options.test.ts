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
