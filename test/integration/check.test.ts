// `graceful-run --check`: every kind of problem is found, nothing is started, nothing stays bound, nothing is made.
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { reportOf, runCheck, type CheckOutcome, type CheckRun } from '../helpers/run-check.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

/** A program that leaves a trace when it is started. */
const tracing = `require('node:fs').writeFileSync(${JSON.stringify('started')}, ''); setInterval(() => {}, 1e6);`;

/** Below those that the kernel gives to connections, which other tests make meanwhile. */
async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  return (await isFree(port)) ? port : freePort();
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  const bound = once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.listen(port, '127.0.0.1');
  const free = await bound;
  server.close();
  return free;
}

interface Tried extends CheckOutcome {
  readonly folder: string;
  readonly port: number;
}

/** Checks `node app.js` in a folder where that exists, on a free port; afterwards nothing was started, and the port is free. */
async function tryCheck(
  flags: readonly string[] = [],
  { command = ['node', 'app.js'], ...run }: CheckRun & { readonly command?: readonly string[] } = {},
): Promise<Tried> {
  const folder = run.cwd ?? temporaryFolder();
  if (!existsSync(join(folder, 'app.js'))) writeFileSync(join(folder, 'app.js'), tracing);
  const port = await freePort();
  const ports = flags.includes('--port') ? [] : ['--port', String(port)];
  const outcome = await runCheck([...ports, '--host', '127.0.0.1', ...flags, '--', ...command], {
    cwd: folder,
    ...run,
  });
  expect(existsSync(join(folder, 'started'))).toBe(false);
  expect(await isFree(port)).toBe(true);
  expect(outcome.stderr).toBe('');
  return { ...outcome, folder, port };
}

test('where nothing is wrong it says so in one line and exits with 0', async () => {
  const { code, lines } = await tryCheck();
  expect({ code, lines }).toEqual({ code: 0, lines: ['command line: 1 program, nothing wrong'] });
});

const problems: readonly {
  readonly what: string;
  readonly flags?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly line: RegExp;
}[] = [
  {
    what: 'an executable that is in no folder of PATH',
    command: ['nodee', 'app.js'],
    line: /^command: cannot run nodee: it is not in any directory of PATH/,
  },
  {
    what: 'an executable that is not there',
    command: ['./bin/server'],
    line: /^command: cannot run \.\/bin\/server: no such file/,
  },
  {
    what: 'a file that is not executable',
    command: ['./app.js'],
    line: /^command: cannot run \.\/app\.js: .* is not executable \(did you mean `node \.\/app\.js`/,
  },
  {
    what: "the program's own file that is not there",
    command: ['node', 'apps.js'],
    line: /^command: there is no file \/.*\/apps\.js \(relative paths start at the working directory/,
  },
  {
    what: "the program's own file that is not there, with an absolute path",
    command: ['node', '/opt/gone/app.js'],
    line: /^command: there is no file \/opt\/gone\/app\.js \(check the spelling/,
  },
  {
    what: 'a package that is not there',
    command: ['npm', 'start'],
    line: /^command: there is no file \/.*\/package\.json/,
  },
  {
    what: 'a working directory that is not there',
    flags: ['--cwd', 'gone'],
    line: /^--cwd: cannot use \/.*\/gone as working directory: there is no such directory/,
  },
  {
    what: 'a working directory that is a file',
    flags: ['--cwd', 'app.js'],
    line: /^--cwd: cannot use .* as working directory: it is not a directory/,
  },
  {
    what: 'an environment file that is not there',
    flags: ['--environment-file', 'gone.env'],
    line: /^--environment-file: cannot read the environment file \/.*\/gone\.env: there is no such file/,
  },
  {
    what: 'a log file in a directory that is not there',
    flags: ['--stdout-logfile', 'gone/app.log'],
    line: /^--stdout-logfile: there is no directory \/.*\/gone \(create it: mkdir -p \/.*\/gone\)/,
  },
  {
    what: 'a log file that is a directory',
    flags: ['--stderr-logfile', '/tmp'],
    line: /^--stderr-logfile: \/tmp is not a regular file/,
  },
  {
    what: 'an environment file with a line that sets nothing',
    flags: ['--environment-file', 'app.js'],
    line: /^--environment-file: cannot read the environment file .*: line 1 is not NAME=value/,
  },
  {
    what: 'a watched path that is not there',
    flags: ['--watch', 'app.js', 'gone'],
    line: /^--watch: cannot watch \/.*\/gone: no such file or directory/,
  },
  {
    what: 'a watch over a program without a file of its own',
    flags: ['--watch'],
    command: ['node', '-e', '1'],
    line: /^--watch: cannot tell which file `node -e 1` is: it runs no script file/,
  },
  {
    what: 'a host name without an address',
    flags: ['--host', 'graceful-run.invalid'],
    line: /^--host: cannot listen on graceful-run\.invalid:\d+: the name graceful-run\.invalid has no address/,
  },
  {
    what: 'an address that this machine does not have',
    flags: ['--host', '192.0.2.1'],
    line: /^--host: cannot listen on 192\.0\.2\.1:\d+: this machine has no such address/,
  },
  {
    what: 'no folder for the control socket',
    env: { GRACEFUL_RUN_CONTROL_FOLDER: '/proc/none/control' },
    line: /^--control: cannot open the control socket: \/proc\/none\/control: there is no \/proc\/none/,
  },
  {
    what: 'an option with a wrong value',
    flags: ['--ready-timeout', 'soon'],
    line: /^cannot start: --ready-timeout must be a duration/,
  },
];

test.for(problems)('it finds $what', async ({ flags = [], command = ['node', 'app.js'], env = {}, line }) => {
  // The last one of an option counts nowhere: it may be given once.
  const own = flags.includes('--host') ? [] : ['--host', '127.0.0.1'];
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'app.js'), tracing);
  const port = await freePort();
  const words = ['--port', String(port), ...own, ...flags, '--', ...command];
  const outcome = await runCheck(words, { cwd: folder, env });
  expect(outcome.lines).toEqual([expect.stringMatching(line)]);
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toBe('');
  expect(existsSync(join(folder, 'started'))).toBe(false);
  expect(await isFree(port)).toBe(true);
});

test('it finds everything that is wrong at once', async () => {
  const { code, lines } = await tryCheck(
    ['--environment-file', 'gone.env', '--watch', 'gone', '--cwd', 'nowhere'],
    { command: ['/opt/none/server'] },
  );
  expect(code).toBe(2);
  expect(lines.map((line) => line.split(':')[0])).toEqual([
    '--environment-file',
    '--cwd',
    'command',
    '--watch',
  ]);
});

test('it names the process that holds the port, which goes on undisturbed', async () => {
  const stranger = net.createServer((socket) => socket.end('here')).listen(0, '127.0.0.1');
  onTestFinished(() => {
    stranger.close();
  });
  await once(stranger, 'listening');
  const { port } = stranger.address() as net.AddressInfo;
  const { code, lines } = await tryCheck(['--port', String(port)]);
  expect(code).toBe(2);
  expect(lines).toEqual([
    expect.stringMatching(
      new RegExp(
        `^--port: cannot listen on 127\\.0\\.0\\.1:${port}: the address is in use by pid ${process.pid} \\(.+\\) \\(stop it: kill ${process.pid};`,
      ),
    ),
  ]);
  const [answer] = (await once(net.connect(port, '127.0.0.1'), 'data')) as [Buffer];
  expect(answer.toString()).toBe('here');
});

test.runIf(mayRun(isRoot))('it finds a port that this user may not bind', async () => {
  const through = ['setpriv', '--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service'];
  const { code, lines } = await tryCheck(['--port', '81'], { through });
  expect(code).toBe(2);
  expect(lines).toEqual([
    expect.stringMatching(
      /^--port: cannot listen on 127\.0\.0\.1:81: permission denied \(.*ip_unprivileged_port_start=81/,
    ),
  ]);
});

test('an environment file gives the PATH in which the executable is looked up', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin', 'own-server'), '#!/bin/sh\n');
  chmodSync(join(folder, 'bin', 'own-server'), 0o755);
  writeFileSync(join(folder, 'app.env'), `PATH=${join(folder, 'bin')}:/usr/bin:/bin\n`);
  const options = { cwd: folder, command: ['own-server'] };
  expect((await tryCheck(['--environment-file', 'app.env'], options)).code).toBe(0);
  expect((await tryCheck([], options)).code).toBe(2);
});

test('a running master of the same name is no conflict, and goes on serving', async () => {
  const master = runMaster();
  const port = await master.serving();
  const flags = ['--port', String(port), '--name', master.name];
  const { code, lines } = await tryCheck(flags, { runtime: master.runtime });
  expect({ code, lines }).toEqual({ code: 0, lines: ['command line: 1 program, nothing wrong'] });
  expect((await master.status()).phase).toBe('serving');
});

test('a master of another name that holds the port is named', async () => {
  const master = runMaster();
  const port = await master.serving();
  const { code, lines } = await tryCheck(['--port', String(port), '--name', 'other'], {
    runtime: master.runtime,
  });
  expect(code).toBe(2);
  expect(lines).toEqual([expect.stringContaining(`in use by pid ${master.pid} (`)]);
});

test('it finds a file at the path of the control socket', async () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, 'shop.sock'), '');
  const { code, lines } = await tryCheck(['--name', 'shop'], {
    env: { GRACEFUL_RUN_CONTROL_FOLDER: folder },
  });
  expect(code).toBe(2);
  expect(lines).toEqual([expect.stringMatching(/^--control: .*shop\.sock is not a socket \(remove /)]);
});

test('a name is taken while another process listens on its control socket', async () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o700);
  const mute = net.createServer().listen(join(folder, 'shop.sock'));
  await once(mute, 'listening');
  const env = { GRACEFUL_RUN_CONTROL_FOLDER: folder };
  const taken = await tryCheck(['--name', 'shop'], { env });
  expect(taken.lines).toEqual([expect.stringMatching(/^--name: cannot use the name shop: /)]);
  mute.close();
  expect((await tryCheck(['--name', 'shop'], { env })).code).toBe(0);
  expect((await tryCheck(['--name', 'shop', '--no-control'], { env })).code).toBe(0);
});

test('--json prints one document', async () => {
  const good = reportOf(await tryCheck(['--json', '--name', 'shop']));
  expect(good).toEqual({
    ok: true,
    file: null,
    programs: ['shop'],
    problems: [],
    candidates: null,
    notStarted: null,
  });
  const bad = reportOf(await tryCheck(['--json', '--name', 'shop', '--cwd', 'gone']));
  expect(bad).toMatchObject({ ok: false, programs: ['shop'], problems: [{ key: '--cwd', file: null }] });
  const wrong = reportOf(await tryCheck(['--json', '--backlog', '0']));
  expect(wrong).toMatchObject({ ok: false, programs: [], problems: [{ file: null }] });
});

test('--run and --json belong to --check', async () => {
  for (const flag of ['--run', '--json']) {
    const master = runMaster({ flags: [flag] });
    expect(await master.exited).toEqual({ code: 2, signal: null });
    expect(master.lines.join('\n')).toContain(`${flag} needs --check`);
  }
});

test('problems of a file are named with their line, column and key, also those of included files and defaults', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'app.js'), tracing);
  writeFileSync(
    join(folder, 'graceful.toml'),
    [
      'include = ["more.toml"]',
      '[defaults]',
      'env_file = "gone.env"',
      '[program.shop]',
      'command = ["node", "apps.js"]',
      'port = 0',
      'watch = ["app.js", "gone"]',
    ].join('\n'),
  );
  const more =
    '[program."a.b"]\ncommand = "nodee app.js"\nlisten = ["127.0.0.1:0", "192.0.2.1:0"]\nenv_file = "app.env"';
  writeFileSync(join(folder, 'more.toml'), more);
  writeFileSync(join(folder, 'app.env'), '');
  const { code, lines } = await runCheck(['-c', 'graceful.toml'], { cwd: folder });
  expect(lines).toEqual([
    expect.stringMatching(/^graceful\.toml:3:12: defaults\.env_file: cannot read the environment file /),
    expect.stringMatching(/^graceful\.toml:5:11: program\.shop\.command: there is no file .*apps\.js/),
    expect.stringMatching(/^graceful\.toml:7:20: program\.shop\.watch\[1\]: cannot watch .*gone/),
    expect.stringMatching(/^more\.toml:2:11: program\."a\.b"\.command: cannot run nodee/),
    expect.stringMatching(/^more\.toml:3:26: program\."a\.b"\.listen\[1\]: cannot listen on 192\.0\.2\.1:0/),
  ]);
  expect(code).toBe(2);
  expect(existsSync(join(folder, 'started'))).toBe(false);
});

test('a default that is wrong for several programs is told once', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'app.js'), tracing);
  const program = (name: string): string => `[program.${name}]\ncommand = "node app.js"\nport = 0\n`;
  const file = `[defaults]\nenv_file = "gone.env"\n${program('shop')}${program('mail')}`;
  writeFileSync(join(folder, 'graceful.toml'), file);
  const { code, lines } = await runCheck([], { cwd: folder });
  expect(lines).toEqual([expect.stringMatching(/^graceful\.toml:2:12: defaults\.env_file: /)]);
  expect(code).toBe(2);
});

test('what is wrong with a file itself is told in the same form', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'graceful.toml'),
    '[program.shop]\ncommand = "node app.js"\nprt = 3000\nworkers = 0\n',
  );
  const { code, lines, stderr } = await runCheck([], { cwd: folder });
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^graceful\.toml:3:1: program\.shop\.prt: /),
      expect.stringMatching(/^graceful\.toml:4:11: program\.shop\.workers: /),
    ]),
  );
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  const gone = await runCheck(['-c', 'gone.toml'], { cwd: folder });
  expect(gone).toMatchObject({ code: 2, lines: [expect.stringMatching(/^gone\.toml: /)], stderr: '' });
});

test('a file that a master runs already is in order, and another file with its name or ports is not', async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const plan = `[master]\nname = "all"\n[program.shop]\ncommand = ["${process.execPath}", "app.js"]\nport = ${port}\nhost = "127.0.0.1"\n`;
  const server = "require('node:http').createServer().listen(process.env.PORT)";
  writeFileSync(join(folder, 'app.js'), server);
  writeFileSync(join(folder, 'graceful.toml'), plan);
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'graceful.toml', '--log-format', 'json'],
    command: [],
    cwd: folder,
  });
  await master.serving();
  const { runtime } = master;
  const same = await runCheck(['--run', '-c', 'graceful.toml'], { cwd: folder, runtime });
  expect(same.lines).toEqual([
    expect.stringMatching(/^shop: ready after /),
    'graceful.toml: 1 program, nothing wrong',
  ]);
  expect(same.code).toBe(0);

  writeFileSync(join(folder, 'other.toml'), plan);
  const other = await runCheck(['-c', 'other.toml'], { cwd: folder, runtime });
  expect(other.lines).toEqual([
    expect.stringMatching(
      new RegExp(
        `^other\\.toml:2:8: master\\.name: cannot use the name all: the master with pid ${master.pid} \\(`,
      ),
    ),
    expect.stringMatching(/^other\.toml:5:8: program\.shop\.port: .* is in use by pid /),
  ]);
  expect(other.code).toBe(2);
});

/** Checks a config file with these lines in [master], and answers what it finds. */
async function checkMaster(lines: readonly string[], run: CheckRun = {}): Promise<readonly string[]> {
  const folder = temporaryFolder();
  const program = ['[program.shop]', 'type = "worker"', 'command = ["sleep", "1000"]'];
  writeFileSync(join(folder, 'graceful.toml'), ['[master]', ...lines, ...program].join('\n'));
  const outcome = await runCheck(['-c', 'graceful.toml'], { ...run, cwd: folder });
  expect(outcome.stderr).toBe('');
  return outcome.lines;
}

test('an address of metrics that another process holds is found, with that process', async () => {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  const [line = ''] = await checkMaster([`metrics = "127.0.0.1:${port}"`]);
  expect(line).toMatch(
    /^graceful\.toml:2:\d+: master\.metrics: cannot listen on .* the address is in use by pid \d+/,
  );
  expect(line).toContain(`by pid ${process.pid}`);
  expect(await checkMaster([`metrics = "127.0.0.1:${await freePort()}"`])).toEqual([
    'graceful.toml: 1 program, nothing wrong',
  ]);
});

test('the address of metrics may be held by the master that runs this file', async () => {
  const folder = temporaryFolder();
  const runtime = temporaryFolder();
  const file = join(folder, 'graceful.toml');
  const program = ['[program.shop]', 'type = "worker"', 'command = ["sleep", "1000"]'];
  writeFileSync(file, ['[master]', `metrics = "127.0.0.1:${await freePort()}"`, ...program].join('\n'));
  const flags = ['-c', file, '--log-format', 'json', '--log-level', 'debug'];
  const master = runMaster({ name: 'graceful', hasOwnFlags: false, flags, command: [], runtime });
  await master.waitFor('metricsServed');
  await master.waitFor('generationReady');
  const { lines } = await runCheck(['-c', file], { cwd: folder, runtime });
  expect(lines).toEqual(['graceful.toml: 1 program, nothing wrong']);
});

test('certificates of metrics that cannot be read are found', async () => {
  const [line = ''] = await checkMaster([
    `metrics = "127.0.0.1:${await freePort()}"`,
    'metrics_cert = "no.pem"',
    'metrics_key = "no.key"',
  ]);
  expect(line).toMatch(/master\.metrics: cannot use .*no\.pem and .*no\.key: ENOENT: no such file/);
});

test('a place for what is to be remembered that cannot be written is found', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const [line = ''] = await checkMaster(['remember = true'], { env: { XDG_STATE_HOME: file } });
  expect(line).toMatch(
    /master\.remember: cannot write .*\/file\/graceful-run\/.*\.json: .*\/file is not a directory/,
  );
  const empty = join(temporaryFolder(), 'to/be/made');
  const good = await checkMaster(['remember = true'], { env: { XDG_STATE_HOME: empty } });
  expect(good).toEqual(['graceful.toml: 1 program, nothing wrong']);
  expect(existsSync(empty)).toBe(false);
});

test('a file for what was seen of schedules that can be neither written nor read is found', async () => {
  const job = [
    'name = "site"',
    '[program.job]',
    'type = "oneshot"',
    'command = ["true"]',
    'schedule = "@daily"',
    'if_missed = "run"',
  ];
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const [unwritten = ''] = await checkMaster(job, { env: { XDG_STATE_HOME: file } });
  expect(unwritten).toMatch(
    /program\.job\.if_missed: cannot write .*\/site\.runs\.json: .*\/file is not a directory/,
  );
  const state = temporaryFolder();
  mkdirSync(join(state, 'graceful-run', 'site.runs.json'), { recursive: true });
  const [unread = ''] = await checkMaster(job, { env: { XDG_STATE_HOME: state } });
  expect(unread).toMatch(/program\.job\.if_missed: cannot read .*\/site\.runs\.json: it is no regular file/);
  const empty = join(temporaryFolder(), 'to/be/made');
  const good = await checkMaster(job, { env: { XDG_STATE_HOME: empty } });
  expect(good).toEqual(['graceful.toml: 2 programs, nothing wrong']);
});

test('with redirect_stderr a destination that cannot be used is one problem', async () => {
  const keys = ['stdout_logfile = "gone/{name}-{num}.log"', 'redirect_stderr = true'];
  const lines = await checkMaster(['control = false', '[defaults]', ...keys]);
  expect(lines).toEqual([
    expect.stringMatching(/^graceful\.toml:4:18: defaults\.stdout_logfile: there is no directory .*\/gone /),
  ]);
});

test('a daemon that does not listen is found', async () => {
  const socket = join(temporaryFolder(), 'log');
  const { lines } = await tryCheck([
    '--stdout-logfile',
    `syslog:${socket}`,
    '--stderr-logfile',
    `journal:${socket}`,
  ]);
  expect(lines[0]).toMatch(
    /^--stdout-logfile: cannot send to .*\/log: no daemon listens there \(ENOENT\) \(start a syslog daemon/,
  );
  expect(lines[1]).toMatch(/^--stderr-logfile: cannot send to .*journald/);
});
