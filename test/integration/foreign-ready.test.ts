// When programs that are not Node.js, or are behind something that is not, count as ready. Each test runs the real program.
import { createServer } from 'node:http';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

const python = ['python3', appPath('serves').replace(/cjs$/, 'py')];
const serves = appPath('serves');
const none = { isGated: false, migrates: false, reports: false };
const all = { isGated: true, migrates: true, reports: true };

async function capabilitiesOf(master: RunningMaster): Promise<unknown> {
  const { workers } = await master.status();
  return workers.map(({ capabilities }) => capabilities);
}

test('a Python server is ready once it has lived for startsecs, 1 s by default, accepts at once, and is replaced without a failed request', async () => {
  const master = runMaster({ command: python });
  const port = await master.serving();
  expect(await capabilitiesOf(master)).toEqual([none]);
  expect((await get(port)).body).toBe(`python ${await master.workerPid(1)}`);
  const load = { isOver: false };
  const bodies: string[] = [];
  const clients = (async () => {
    while (!load.isOver) bodies.push((await get(port)).body);
  })();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  load.isOver = true;
  await clients;
  expect(new Set(bodies.map((body) => body.split(' ')[0]))).toEqual(new Set(['python']));
  const ready = await master.waitFor('generationReady', { generation: 2 });
  expect(ready.probationMs).toBe(0);
  expect(ready.durationMs).toBeGreaterThanOrEqual(1_000);
  const shown = ['workerStarted', 'workerReady', 'generationReady'];
  expect(master.eventsOf(2).filter((name) => shown.includes(name))).toEqual(shown);
  expect((await master.waitFor('workerReady', { generation: 2 })).durationMs).toBeGreaterThanOrEqual(1_000);
});

test('a Python server that fails at once does not replace the one that serves', async () => {
  const flag = join(temporaryFolder(), 'fail');
  const master = runMaster({ command: python, flags: ['--startsecs', '2s'], env: { CRASHES: flag } });
  const port = await master.serving();
  writeFileSync(flag, '');
  master.signal('SIGHUP');
  await master.waitFor('generationFailed', { generation: 2 });
  await master.waitForLine('told to fail');
  expect((await get(port)).status).toBe(200);
});

test.each([
  ['a shell that waits for it', ['sh', '-c', `sleep 0.1; node ${serves}; true`]],
  ['a shell that becomes it', ['sh', '-c', `exec node ${serves}`]],
  ['env and nice', ['env', 'A=1', 'nice', '-n', '1', 'node', serves]],
])('Node.js behind %s is recognised, gated, and waited for', async (_, command) => {
  const master = runMaster({ command, flags: ['--startsecs', '5s'] });
  await master.serving();
  expect(await capabilitiesOf(master)).toEqual([all]);
  await master.waitFor('workerAdmitted');
});

test('Node.js behind a shell is waited for however slowly it boots', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'slow.cjs'),
    `setTimeout(() => require(${JSON.stringify(serves)}).server.listen(process.env.PORT), 1500);`,
  );
  const master = runMaster({
    command: ['sh', '-c', `node ${folder}/slow.cjs; true`],
    flags: ['--startsecs', '200ms'],
  });
  const { durationMs } = await master.waitFor('generationReady', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(1_500);
  expect(await capabilitiesOf(master)).toEqual([all]);
});

test('a script that runs a Node.js tool first does not make a Python server one of Node.js', async () => {
  const tool = `node -e 'setTimeout(() => {}, 900)'`;
  const master = runMaster({
    command: ['sh', '-c', `${tool}; exec ${python.join(' ')}`],
    flags: ['--startsecs', '300ms'],
  });
  const { durationMs } = await master.waitFor('generationReady', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(1_200);
  expect(await capabilitiesOf(master)).toEqual([none]);
  expect((await get(await master.port())).body).toMatch(/^python/);
});

test('a Node.js program that starts after its script counted as ready is admitted then, and the next generation has to say ready itself', async () => {
  const master = runMaster({
    command: ['sh', '-c', `sleep 1; exec node ${serves}`],
    flags: ['--startsecs', '200ms', '--probation', '0s'],
  });
  const port = await master.serving();
  await master.waitFor('workerAdmitted', { generation: 1 });
  expect((await get(port)).status).toBe(200);
  expect(await capabilitiesOf(master)).toEqual([all]);
  await master.reload(2);
  const { durationMs } = await master.waitFor('generationReady', { generation: 2 });
  expect(durationMs).toBeGreaterThanOrEqual(1_000);
});

test('the Python server of a shell script gets the drain signal, and its end is noticed though the shell lives on', async () => {
  const pipe = join(temporaryFolder(), 'never-written');
  const master = runMaster({
    command: [
      'sh',
      '-c',
      `mkfifo ${pipe}; LISTEN_PID= python3 -c 'import os,sys; os.environ["LISTEN_PID"]=str(os.getpid()); sys.argv=["x"]; exec(open("${python[1] ?? ''}").read())'; read line < ${pipe}`,
    ],
    // The server is there by then: it counts as the program only if it is found when the worker is ready.
    flags: ['--startsecs', '3s'],
  });
  const port = await master.serving();
  const [, pid = ''] = (await get(port)).body.split(' ');
  expect(Number(pid)).not.toBe(await master.workerPid(1));
  process.kill(Number(pid), 'SIGKILL');
  await master.waitFor('workerLostProgram', { generation: 1 });
  await master.waitFor('restartScheduled');
  expect((await get(port)).body).toMatch(/^python/);
});

test('a script that starts a helper and then becomes the server gets the drain signal as the server, although the helper was found first', async () => {
  const helper = `python3 -c 'import time; time.sleep(60)'`;
  const master = runMaster({
    command: ['sh', '-c', `${helper} & sleep 1; exec ${python.join(' ')} 3`],
    flags: ['--startsecs', '300ms'],
  });
  const port = await master.serving();
  expect((await get(port)).body).toBe(`python ${await master.workerPid(1)}`);
  await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    from: 'draining',
    outcome: { code: 0 },
  });
});

test('successors of a Python server with several workers are started one at a time', async () => {
  const master = runMaster({ command: python, flags: ['--startsecs', '300ms', '--workers', '3'] });
  await master.serving();
  await master.reload(2);
  const { durationMs } = await master.waitFor('generationReady', { generation: 2 });
  expect(durationMs).toBeGreaterThanOrEqual(900);
  const shown = ['workerStarted', 'workerReady', 'generationReady'];
  expect(master.eventsOf(2).filter((name) => shown.includes(name))).toEqual([
    ...[1, 2, 3].flatMap(() => ['workerStarted', 'workerReady']),
    'generationReady',
  ]);
});

test('--ready delay, tcp, http and exec are waited for', async () => {
  const health = createServer((request, response) => {
    response.statusCode = request.url === '/healthy' ? 204 : 503;
    response.end();
  });
  health.listen(0, '127.0.0.1');
  await once(health, 'listening');
  const address = health.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const file = join(temporaryFolder(), 'there');
  const exec = `test -n "$PORT" -a -e ${file}`;
  const [delayed, connected, asked, ran] = [
    runMaster({ command: python, flags: ['--ready', 'delay:700ms'] }),
    runMaster({ command: python, flags: ['--ready', `tcp:${port}`] }),
    runMaster({ command: python, flags: ['--ready', `http://127.0.0.1:${port}/healthy`] }),
    runMaster({ command: python, flags: ['--ready', `exec:${exec}`] }),
  ];
  const { durationMs } = await delayed.waitFor('generationReady');
  expect(durationMs).toBeGreaterThanOrEqual(700);
  await connected.serving();
  await asked.serving();
  await ran.waitFor('workerNotReadyYet', ({ reason }) => reason.includes('code 1'));
  writeFileSync(file, '');
  await ran.serving();
  for (const master of [delayed, connected, asked, ran]) expect(await capabilitiesOf(master)).toEqual([none]);
  health.close();
});

test('what was waited for in vain is in the reason', async () => {
  const master = runMaster({
    command: python,
    flags: ['--ready', 'tcp:1', '--ready-timeout', '1s'],
  });
  const failed = await master.waitFor('generationFailed');
  expect(failed.failure.reason).toBe('notReady');
  expect(failed.failure.message).toContain('127.0.0.1:1');
  expect((await master.exited).code).toBe(1);
});

test('a command that finds out whether the worker is ready is killed at the ready timeout', async () => {
  const master = runMaster({
    command: python,
    flags: ['--ready', 'exec:sleep 60', '--ready-timeout', '500ms'],
  });
  await master.waitFor('generationFailed');
  expect((await master.exited).code).toBe(1);
});

test('--ready listen is refused for a program of which it cannot be known, with the reason', async () => {
  const master = runMaster({ command: python, flags: ['--ready', 'listen', '--ready-timeout', '500ms'] });
  const failed = await master.waitFor('generationFailed');
  expect(failed.failure.hint).toContain('--ready');
  expect((await master.exited).code).toBe(1);
});

test('with --ready message, a Node.js worker is ready once it listens and has sent ready', async () => {
  const folder = temporaryFolder();
  const sends = join(folder, 'sends.cjs');
  writeFileSync(
    sends,
    `require(${JSON.stringify(serves)}).server.listen(process.env.PORT); setTimeout(() => process.send('ready'), 600);`,
  );
  const master = runMaster({ command: ['node', sends], flags: ['--ready', 'message'] });
  const { durationMs } = await master.waitFor('generationReady');
  expect(durationMs).toBeGreaterThanOrEqual(600);
  expect(await capabilitiesOf(master)).toEqual([all]);
});

test('npm start runs a Node.js program: it is gated', async () => {
  const folder = join(temporaryFolder(), 'app');
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'a', scripts: { start: `node ${serves}` } }),
  );
  const master = runMaster({ command: ['npm', 'start'], cwd: folder, flags: ['--startsecs', '100ms'] });
  await master.serving();
  expect(await capabilitiesOf(master)).toEqual([all]);
});

test('a listener that a program has set to non-blocking stays so for its successor, while both run', async () => {
  const script = [
    'import http.server, os, socket, sys',
    'print("blocks" if os.get_blocking(3) else "does not block", file=sys.stderr, flush=True)',
    'os.set_blocking(3, False)',
    'listener = socket.socket(fileno=3)',
    'handler = http.server.SimpleHTTPRequestHandler',
    'server = http.server.HTTPServer(listener.getsockname()[:2], handler, bind_and_activate=False)',
    'server.socket = listener',
    'server.serve_forever()',
  ];
  const master = runMaster({
    flags: ['--startsecs', '300ms'],
    command: ['python3', '-c', script.join('\n')],
  });
  await master.serving();
  await master.waitForLine('blocks');
  await master.reload(2);
  await master.waitForLine('does not block');
});

test.each([
  ['a shell', {}],
  ['a shell with a variable that only Node.js can pass on', { 'a.b': '1' }],
])('with --ready fd:N, %s is ready once it has written a newline there', async (_, env) => {
  const master = runMaster({
    command: ['sh', '-c', `sleep 0.6; printf later >&7; sleep 0.3; echo >&7; exec ${python.join(' ')}`],
    flags: ['--ready', 'fd:7'],
    env,
  });
  const { durationMs } = await master.waitFor('generationReady', { generation: 1 });
  expect(durationMs).toBeGreaterThanOrEqual(900);
  expect((await get(await master.port())).body).toMatch(/^python/);
});

test('a descriptor that is a listener or the channel is refused', async () => {
  const master = runMaster({ command: python, flags: ['--ready', 'fd:4'] });
  expect((await master.exited).code).toBe(2);
  expect(master.output).toContain('fd:5');
});
