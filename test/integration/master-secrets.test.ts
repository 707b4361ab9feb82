// The values of variables are secrets: they reach the program, and nothing else. Not the log, not an error, not a command line, which
// every user of the machine can read.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whoAnswers } from '../helpers/plain-client.ts';
import {
  app,
  appPath,
  envFileFlag,
  runMaster,
  temporaryFolder,
  type RunOptions,
} from '../helpers/run-master.ts';

const secret = 'hunter2-hunter2';
/** Shells cannot hold the first one; the trampoline must hand on the second one. */
const env = {
  'db.password': `${secret}-1`,
  NODE_ENV: `${secret}-2`,
  TOKEN: `${secret}-3`,
};

/** Starts a master that fails, and returns all that it has written. */
async function outputOf(options: RunOptions): Promise<string> {
  const master = runMaster(options);
  await master.closed;
  expect((await master.exited).code).not.toBe(0);
  return master.output;
}

function script(text: string, folder = temporaryFolder()): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'start.sh');
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

test('a program that is not Node.js gets variables that a shell cannot hold, its own pid, and everything else as it was', async () => {
  const output = await outputOf({
    command: ['/usr/bin/env'],
    env: { ...env, NODE_OPTIONS: '--no-warnings' },
  });
  const lines = output.split('\n');
  for (const [name, value] of Object.entries(env)) expect(lines).toContain(`${name}=${value}`);
  expect(lines.find((line) => line.startsWith('NODE_OPTIONS='))).toContain('--no-warnings');
  expect(output).not.toContain('GRACEFUL_RUN_HELD');
  const started = lines.find((line) => line.includes('"event":"workerStarted"')) ?? '';
  expect(lines).toContain(`LISTEN_PID=${String(Reflect.get(Object(JSON.parse(started)), 'worker'))}`);
});

test('no process that becomes a worker has a value on its command line, and a path with an equals sign is no variable', async () => {
  // At each exec the command line is replaced: this one is seen from inside, the ones before it are all that the master has started.
  const path = script(
    '#!/bin/sh\ntr "\\0" " " < /proc/$$/cmdline >&2\necho >&2\nexit 3\n',
    join(temporaryFolder(), 'a=b'),
  );
  const output = await outputOf({ command: [path], env });
  expect(output).toContain(`/bin/sh ${path}`);
  expect(output).not.toContain(secret);
});

test('a launcher with such variables still has the listener and the channel', async () => {
  const master = runMaster({
    command: ['sh', '-c', `exec ${process.execPath} ${appPath('serves')}`],
    env: { 'db.password': env['db.password'], TOKEN: env.TOKEN },
  });
  const port = await master.serving();
  for (const { pid } of master.processes())
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(secret);
  await master.reload(2);
  expect((await whoAnswers(port)).generation).toBe(2);
  expect(master.output).not.toContain(secret);
});

test.each([
  ['a value with a NUL character', `TOKEN=${secret}\0x\n`],
  ['a name with a NUL character', `TO\0KEN=${secret}\n`],
  ['a line that is no assignment', `${secret}\n`],
  ['the rest of a value with several lines', `TOKEN="a\nb" ${secret}\n`],
  ['a value that is too long for the system', `TOKEN=${secret.repeat(20_000)}\n`],
  ['a PATH in which nothing is found', `PATH=/nowhere/${secret}\n`],
  ['options that Node.js does not know', `TOKEN=${secret}\nNODE_OPTIONS=--nonsense\n`],
])('an environment file with %s is not shown', async (_what, content) => {
  const file = join(temporaryFolder(), 'env');
  writeFileSync(file, content);
  expect(
    await outputOf({ flags: [envFileFlag, file], command: ['node', appPath('serves')], env }),
  ).not.toContain(secret);
});

test.each([
  ['is not found', ['no-such-command']],
  ['is not executable', [appPath('serves')]],
  ['fails', app('exits-before-ready')],
  ['is never ready', app('never-ready')],
])('a command that %s is reported without the environment', async (_what, command) => {
  expect(
    await outputOf({ command, env, flags: ['--ready-timeout', '1s', '--log-level', 'trace'] }),
  ).not.toContain(secret);
});

test('a reload that fails because of the environment file, and the status afterwards, do not show it', async () => {
  const file = join(temporaryFolder(), 'env');
  writeFileSync(file, `TOKEN=${secret}\n`);
  const master = runMaster({ flags: [envFileFlag, file], env });
  await master.serving();
  writeFileSync(file, `TOKEN=${secret}\0\n`);
  master.signal('SIGHUP');
  await master.waitFor('generationFailed', { generation: 2 });
  expect(master.output + JSON.stringify(await master.status())).not.toContain(secret);
});
