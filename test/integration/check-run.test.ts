// `graceful-run --check --run`: candidates of real programs, beside masters that serve, and nothing is left of them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { reportOf, runCheck, startCheck } from '../helpers/run-check.ts';
import { app, runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failuresOf } from '../helpers/tally.ts';

const anyPort = ['--run', '--port', '0', '--host', '127.0.0.1', '--name', 'shop'];

test('a candidate that becomes ready is reported with the time that it took, and stopped', async () => {
  const { code, lines, stderr } = await runCheck([...anyPort, '--', ...app('serves')]);
  expect(lines).toEqual([
    expect.stringMatching(/^shop: ready after \d+(\.\d+)?m?s$/),
    'command line: 1 program, nothing wrong',
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('a candidate finds its listener whether or not an address is given', async () => {
  for (const flags of [[], ['--host', '0.0.0.0'], ['--host', 'localhost'], ['--host', '::']]) {
    const words = ['--run', '--port', '0', ...flags, '--', ...app('serves')];
    expect((await runCheck(words)).code).toBe(0);
  }
});

test('a candidate that crashes is reported with its reason and its last lines', async () => {
  const { code, lines } = await runCheck([...anyPort, '--', ...app('exits-before-ready')]);
  expect(code).toBe(2);
  expect(lines[0]).toMatch(/^shop: not ready after .*: the worker exited with code 7 before it was ready/);
  expect(lines.at(-1)).toBe('  | line 30');
  expect(lines.join('\n')).not.toContain('nothing wrong');
});

test('what a candidate writes to stdout before it fails is shown as well', async () => {
  const script = 'console.log("no database"); process.exit(3)';
  const { code, lines } = await runCheck([...anyPort, '--', process.execPath, '-e', script]);
  expect(code).toBe(2);
  expect(lines).toContain('  | no database');
});

test('a candidate that does not listen in time is reported, and its processes end', async () => {
  const flags = ['--ready-timeout', '700ms'];
  const { code, lines } = await runCheck([...anyPort, ...flags, '--', ...app('never-ready')]);
  expect(code).toBe(2);
  expect(lines[0]).toMatch(/^shop: not ready after .*: the worker was not ready within 700ms/);
});

test('a candidate that listens on another port is told so', async () => {
  const script = 'require("node:http").createServer().listen(0, "127.0.0.1"); setInterval(() => {}, 1e6)';
  const flags = ['--ready-timeout', '700ms'];
  const { code, lines } = await runCheck([...anyPort, ...flags, '--', process.execPath, '-e', script]);
  expect(code).toBe(2);
  expect(lines[0]).toMatch(/^shop: not ready after /);
});

test('a candidate in an endless loop is killed', async () => {
  const flags = ['--ready-timeout', '700ms'];
  const { code } = await runCheck([...anyPort, ...flags, '--', process.execPath, '-e', 'for (;;);']);
  expect(code).toBe(2);
});

test('a candidate whose health path answers 503 is not ready, and one that answers 200 is', async () => {
  const file = join(temporaryFolder(), 'health');
  const words = [
    ...anyPort,
    ...['--ready', 'http:/healthz', '--ready-timeout', '1s', '--'],
    ...app('answers-health'),
  ];
  writeFileSync(file, '503');
  const sick = await runCheck(words, { env: { HEALTH_FILE: file } });
  expect(sick.code).toBe(2);
  expect(sick.lines[0]).toMatch(/GET \/healthz answered 503/);
  writeFileSync(file, '200');
  expect((await runCheck(words, { env: { HEALTH_FILE: file } })).code).toBe(0);
});

test('a candidate with a port of its own is asked for its health, whatever address its socket has', async () => {
  const script =
    'require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT)';
  const flags = ['--ready', 'http:/healthz', '--ready-timeout', '5s', '--'];
  const words = ['--run', '--port', String(await freePort()), ...flags, process.execPath, '-e', script];
  expect(await runCheck(words)).toMatchObject({ code: 0 });
});

test('a candidate that does not end when it is asked to is killed after its drain timeout', async () => {
  const script =
    'require("node:http").createServer().listen(process.env.PORT, () => ' +
    'setImmediate(() => setImmediate(() => { for (;;); })))';
  const flags = ['--drain-timeout', '100ms'];
  const { code, lines } = await runCheck([...anyPort, ...flags, '--', process.execPath, '-e', script]);
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^shop: ready after .*; it did not end within its drain timeout and was killed$/);
});

test('the program does not accept a connection, and sees the environment of a worker', async () => {
  const folder = temporaryFolder();
  const script = `
    const server = require('node:http').createServer();
    server.on('connection', () => { throw new Error('a connection'); });
    server.listen(process.env.PORT, () => {
      require('node:fs').writeFileSync('seen', [process.env.PORT, process.env.LISTEN_FDS, server.listening].join(' '));
    });`;
  const words = ['--run', '--port', '3999', '--host', '127.0.0.1', '--', process.execPath, '-e', script];
  const { code } = await runCheck(words, { cwd: folder });
  expect(code).toBe(0);
  expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe('3999 1 true');
});

test('a program with a problem is not started', async () => {
  const { code, lines } = await runCheck([...anyPort, '--watch', 'gone', '--', ...app('exits-before-ready')]);
  expect(code).toBe(2);
  expect(lines).toEqual([expect.stringMatching(/^--watch: /)]);
});

test('a candidate of each program of a file is started, one after the other, in its own surroundings', async () => {
  const folder = temporaryFolder();
  const script = `
    require('node:fs').appendFileSync('seen', process.env.NAME + ' begins\\n');
    process.on('exit', () => require('node:fs').appendFileSync('seen', process.env.NAME + ' ends\\n'));
    require('node:http').createServer().listen(process.env.PORT);`;
  writeFileSync(join(folder, 'app.cjs'), script);
  writeFileSync(join(folder, 'crash.cjs'), 'throw new Error("no database");');
  const file = `
    [defaults]
    host = "127.0.0.1"
    [program.db]
    command = ["${process.execPath}", "app.cjs"]
    port = 0
    environment = { NAME = "db" }
    [program.shop]
    command = ["${process.execPath}", "app.cjs"]
    port = 0
    environment = { NAME = "shop" }
    depends_on = ["db"]
    autostart = false`;
  writeFileSync(join(folder, 'graceful.toml'), file);
  const good = await runCheck(['--run'], { cwd: folder });
  expect(good.lines).toEqual([
    expect.stringMatching(/^db: ready after /),
    expect.stringMatching(/^shop: ready after /),
    'graceful.toml: 2 programs, nothing wrong',
  ]);
  expect(good.code).toBe(0);
  const seen = readFileSync(join(folder, 'seen'), 'utf8').trim().split('\n');
  expect(seen).toEqual(['db begins', 'db ends', 'shop begins', 'shop ends']);

  writeFileSync(join(folder, 'graceful.toml'), file.replace('app.cjs', 'crash.cjs'));
  const bad = await runCheck(['--run', '-c', 'graceful.toml'], { cwd: folder });
  expect(bad.lines[0]).toMatch(/^db: not ready after .*: Error: no database$/);
  expect(bad.lines.at(-1)).toMatch(/^shop: ready after /);
  expect(bad.code).toBe(2);
});

test('--json tells of each candidate', async () => {
  const good = reportOf(await runCheck([...anyPort, '--json', '--', ...app('serves')]));
  expect(good).toMatchObject({
    ok: true,
    candidates: [
      {
        program: 'shop',
        ready: true,
        durationMs: expect.toSatisfy(Number.isInteger) as number,
        failure: null,
      },
    ],
  });
  const bad = reportOf(await runCheck([...anyPort, '--json', '--', ...app('exits-before-ready')]));
  expect(bad).toMatchObject({
    ok: false,
    problems: [],
    candidates: [{ ready: false, failure: { reason: 'exited', outcome: { code: 7 } } }],
  });
});

test(
  'a master that serves the same port under load loses no request to a candidate',
  { timeout: 60_000 },
  async () => {
    const master = runMaster();
    const port = await master.serving();
    const pid = await master.workerPid(1);
    const load = startLoad({ port, mode: 'fresh', clients: 4 });
    await load.moreAnswers(100);
    const words = ['--run', '--port', String(port), '--host', '127.0.0.1', '--name', master.name, '--'];
    for (const [name, code] of [
      ['serves', 0],
      ['exits-before-ready', 2],
      ['serves', 0],
    ] as const) {
      const outcome = await runCheck([...words, ...app(name)], { runtime: master.runtime });
      expect(outcome.lines[0]).toMatch(
        new RegExp(`^${master.name}: ${code === 0 ? '' : 'not '}ready after `),
      );
      expect(outcome.code).toBe(code);
    }
    await load.moreAnswers(100);
    const tally = await load.stop();
    expect(failuresOf(tally), tally.examples.join('; ')).toBe(0);
    expect(JSON.parse((await get(port)).body)).toMatchObject({ pid, generation: 1 });
  },
);

test.for([
  { how: 'serves', env: {} },
  { how: 'crashes', env: { FAILS: '1' } },
])('a process that has left the session of a candidate that $how ends with it', async ({ env }) => {
  const { lines } = await runCheck([...anyPort, '--', ...app('leaves-strays')], { env });
  expect(lines[0]).toMatch(/^shop: /);
});

test.for(['SIGINT', 'SIGTERM'] as const)('%s ends the check and its candidate', async (signal) => {
  const check = startCheck([...anyPort, '--', ...app('never-ready')]);
  // Itself, the worker, and what that has started.
  await eventually('the candidate runs', () => check.processes().length >= 3);
  check.child.kill(signal);
  const { code, lines } = await check.ended;
  expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
  expect(lines).toEqual([]);
  expect(check.processes()).toEqual([]);
});

test.for([
  { what: 'waits', script: 'setInterval(() => {}, 1e6)' },
  { what: 'loops', script: 'for (;;);' },
])('a candidate that $what ends when the check is killed', async ({ script }) => {
  const cwd = temporaryFolder();
  const words = ['--', process.execPath, '-e', `require('node:fs').writeFileSync('runs', ''); ${script}`];
  const check = startCheck([...anyPort, ...words], { cwd });
  await eventually('the candidate runs', () => existsSync(join(cwd, 'runs')));
  check.child.kill('SIGKILL');
  await check.ended;
  await eventually('everything has ended', () => check.processes().length === 0, 10_000);
});

test('programs without an address are not started, which is said', async () => {
  const folder = temporaryFolder();
  const trace = join(folder, 'started');
  const program = (name: string, type: string): string =>
    `[program.${name}]\ntype = "${type}"\ncommand = ["touch", ${JSON.stringify(trace)}]\n`;
  writeFileSync(join(folder, 'graceful.toml'), program('mails', 'worker') + program('job', 'oneshot'));
  const words = ['--run', '-c', join(folder, 'graceful.toml')];
  const { code, lines } = await runCheck(words);
  expect(lines.slice(0, 2)).toEqual([
    'mails: not started, because it would do its work (type = "worker")',
    'job: not started, because it would do its work (type = "oneshot")',
  ]);
  expect(code).toBe(0);
  expect(reportOf(await runCheck(['--json', ...words]))).toMatchObject({
    ok: true,
    candidates: [],
    notStarted: [
      { program: 'mails', type: 'worker' },
      { program: 'job', type: 'oneshot' },
    ],
  });
  expect(existsSync(trace)).toBe(false);
});
