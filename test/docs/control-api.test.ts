// The commands of docs/control-api.md, run word by word: only the socket's path is the test's own.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { appPath, runMaster, temporaryFolder } from '../helpers/run-master.ts';

const page = readFileSync(new URL('../../docs/control-api.md', import.meta.url), 'utf8');
const run = promisify(execFile);

/** The code block behind the marker `<!-- test: name -->`, with the socket's path before it. */
function script(name: string): string {
  const [path, command] = ['path', name].map(
    (wanted) => new RegExp(`<!-- test: ${wanted} -->\n\`\`\`sh\n([^]*?)\`\`\``).exec(page)?.[1],
  );
  if (path === undefined || command === undefined) throw new Error(`there is no example ${name}`);
  return path + command;
}

test('the status, a reload, one that fails, the events, and a stop', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'release'));
  const release = join(folder, 'release', 'app.cjs');
  symlinkSync(appPath('serves'), release);
  const master = runMaster({ name: '10086', command: [process.execPath, release] });
  await master.serving();
  const env = { ...process.env, XDG_RUNTIME_DIR: master.runtime };
  const shell = (name: string): Promise<{ stdout: string }> => run('bash', ['-ec', script(name)], { env });
  const answerTo = async (name: string): Promise<unknown> => JSON.parse((await shell(name)).stdout);

  const follower = spawn('bash', ['-ec', script('events')], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void follower.kill('SIGKILL'));
  const followedToTheEnd = once(follower, 'close');
  let followed = '';
  follower.stdout.setEncoding('utf8').on('data', (text: string) => (followed += text));

  expect(await answerTo('status')).toMatchObject({
    program: '10086',
    state: 'RUNNING',
    phase: 'serving',
    generation: 1,
  });
  expect(await answerTo('reload')).toMatchObject({ generation: 2, ok: true, failure: null });
  renameSync(release, `${release}.gone`);
  await expect(shell('reload')).rejects.toMatchObject({
    code: 22,
    stdout: expect.stringContaining('"ok":false') as unknown,
  });
  expect(await answerTo('stop')).toEqual({ pid: master.pid });
  expect(await master.exited).toEqual({ code: 0, signal: null });
  await followedToTheEnd;
  expect(followed).toContain('"event":"stopped"');
});

test('the program that reloads with graceful-run/client', async () => {
  const example = /<!-- test: client -->\n```js\n([^]*?)```/.exec(page)?.[1];
  if (example === undefined) throw new Error('there is no example client');
  const master = runMaster({ name: 'shop' });
  await master.serving();
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(new URL('../..', import.meta.url).pathname, join(folder, 'node_modules', 'graceful-run'));
  const script = join(folder, 'deploy.mjs');
  writeFileSync(script, example);
  const env = { ...process.env, XDG_RUNTIME_DIR: master.runtime };
  expect(await run(process.execPath, [script], { env })).toEqual({
    stdout: 'RUNNING, 1 workers\ngeneration 2 serves\n',
    stderr: '',
  });
});
