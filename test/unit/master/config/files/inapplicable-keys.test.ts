// Keys whose values are right, but which the program cannot have: each with its place and as the file spells it, all at once.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Plan } from '../../../../../src/master/config/plan.ts';
import type { Compiled } from '../../../../../src/master/config/files/compile-config.ts';
import { comparePlans } from '../../../../../src/master/config/difference.ts';
import { readConfig } from '../../../../../src/master/config/files/read-config.ts';

async function compile(text: string, below = '.'): Promise<Compiled> {
  const folder = mkdtempSync(join(tmpdir(), 'gr-unfit-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  mkdirSync(join(folder, below), { recursive: true });
  const file = join(folder, below, 'a.toml');
  writeFileSync(file, text);
  return readConfig(file, {});
}

/** `3:8 program.shop.ready: cannot be`: as long as what is expected. */
async function problemsOf(text: string, below?: string): Promise<readonly string[]> {
  const compiled = await compile(text, below);
  if (!('problems' in compiled)) return [];
  return compiled.problems.map(
    ({ line, column, key, message }) => `${String(line)}:${String(column)} ${String(key)}: ${message}`,
  );
}

async function expectProblems(text: string, expected: readonly string[], below?: string): Promise<void> {
  const found = await problemsOf(text, below);
  expect(found.map((line, index) => line.slice(0, expected[index]?.length ?? line.length))).toEqual(expected);
}

const shop = '[program.shop]\ncommand = "x"\n';
const server = `${shop}port = 3000\n`;
const worker = `${shop}type = "worker"\n`;
const oneshot = `${shop}type = "oneshot"\n`;

test.each([
  [server, 'ready = "fd:3"', ['4:9 program.shop.ready: cannot be fd:3: descriptors 3 to 4']],
  [
    shop,
    'listen = ["udp:127.0.0.1:53"]\nready = "http:/x"',
    ['4:9 program.shop.ready: cannot be http:/x: the program has only UDP listeners'],
  ],
  [worker, 'ready = "fd:3"', ['4:9 program.shop.ready: cannot be fd:3: descriptors 3 to 3']],
  [worker, 'ready = "listen"', ['4:9 program.shop.ready: does not fit: a program without an address']],
  [worker, 'ready = "http:/x"', ['4:9 program.shop.ready: does not fit: a program without an address']],
  [worker, 'host = "::1"', ['4:8 program.shop.host: does not fit: a program of type worker has no address']],
  [oneshot, 'port = 3000', ['4:8 program.shop.port: does not fit: a program of type oneshot']],
  [
    worker,
    'keepalive = "on"\nbacklog = 9\nreuse_port = true\nsocket_mode = "0600"',
    [
      '4:13 program.shop.keepalive: does not fit',
      '5:11 program.shop.backlog: does not fit',
      '6:14 program.shop.reuse_port: does not fit',
      '7:15 program.shop.socket_mode: does not fit',
    ],
  ],
  [server, 'socket_mode = "0600"', ['4:15 program.shop.socket_mode: needs a UNIX socket']],
  [server, 'overlap = false\nmax_memory = "1GB"', ['4:11 program.shop.overlap: does not fit']],
  [
    worker,
    'overlap = false\nmax_memory = "1GB"\nmax_lifetime = "1h"\nmax_requests = 5\nmax_surge = 1\ncanary = 1',
    [
      '5:14 program.shop.max_memory: does not fit: a worker is replaced',
      '6:16 program.shop.max_lifetime: does not fit: a worker is replaced',
      '7:16 program.shop.max_requests: does not fit: a program of type worker serves no requests',
      '8:13 program.shop.max_surge: has no effect',
      '9:10 program.shop.canary: has no effect',
    ],
  ],
  [
    oneshot,
    'watchdog = "9s"\nmax_memory = "1GB"\nschedule = "@daily"\nwatch = true\nrollback_on = "5xx > 5% over 10s"',
    [
      '4:12 program.shop.watchdog: does not fit',
      '5:14 program.shop.max_memory: does not fit',
      '7:9 program.shop.watch: does not fit',
      '8:15 program.shop.rollback_on: has no effect',
    ],
  ],
  [
    worker,
    'rescue = "5s"\nmigrate = false',
    [
      '4:10 program.shop.rescue: does not fit: a program of type worker',
      '5:11 program.shop.migrate: does not fit: a program of type worker',
    ],
  ],
  [
    oneshot,
    'rescue = "5s"\nmigrate = true\nprobation = "5s"',
    [
      '4:10 program.shop.rescue: does not fit: a program of type oneshot',
      '5:11 program.shop.migrate: does not fit: a program of type oneshot',
      '6:13 program.shop.probation: does not fit: a oneshot',
    ],
  ],
  [worker, 'overlap = false\nprobation = "5s"', ['5:13 program.shop.probation: does not fit']],
  [
    worker,
    'adopt_pid_file = "x.pid"\nnumprocs = 2\noverlap = true',
    ['5:12 program.shop.numprocs: must be 1', '6:11 program.shop.overlap: must be false'],
  ],
  [
    server,
    'adopt_grace = "1s"\nif_running = "skip"',
    ['4:15 program.shop.adopt_grace', '5:14 program.shop.if_running'],
  ],
  [
    server,
    'max_surge = 0\ncanary = 1\ncanary_time = "0s"',
    [
      '4:13 program.shop.max_surge: leaves no room',
      '5:10 program.shop.canary: has no effect with one worker',
      '5:10 program.shop.canary: needs a time',
    ],
  ],
  [
    server,
    'stdout_logfile_backups = 3\nlogfile_daily = true\nstrip_ansi = true\nlogfile_format = "json"\nsyslog_facility = "user"',
    [
      '4:26 program.shop.stdout_logfile_backups: needs a log file',
      '5:17 program.shop.logfile_daily: needs a log file',
      '6:14 program.shop.strip_ansi: needs a log file',
      '7:18 program.shop.logfile_format: needs a log file',
      '8:19 program.shop.syslog_facility: needs syslog',
    ],
  ],
])('%s%s', async (program, more, expected) => {
  await expectProblems(`${program}${more}\n`, expected);
});

test('beside wrong values, only what the others show is said', async () => {
  // The wrong ones may be what is missing.
  await expectProblems(`${worker}canary = "x"\ncanary_time = "5s"\nhost = "::1"\n`, [
    '4:10 program.shop.canary: must be',
    '6:8 program.shop.host: does not fit',
  ]);
  await expectProblems(`${shop}port = "x"\nready = "fd:3"\nkeepalive = "on"\nadopt_grace = "1s"\n`, [
    '3:8 program.shop.port: must be',
    '6:15 program.shop.adopt_grace: has no effect',
  ]);
  await expectProblems(`${shop}type = "x"\nhost = "::1"\nschedule = "@daily"\nmax_requests = 5\n`, [
    '3:8 program.shop.type: must be',
  ]);
  // A number may be written as text.
  await expectProblems(`${server}workers = "4"\ncanary = "3"\nnice = "x"\n`, [
    '6:8 program.shop.nice: must be',
  ]);
});

test('what is wrong only when it has been put together has the place of its key', async () => {
  await expectProblems(
    `${shop}listen = ["3000", "unix:a.sock"]\n`,
    ['3:19 program.shop.listen[1]: must be'],
    'a@b',
  );
});

test('keys of [defaults] are for the programs that can have them', async () => {
  const compiled = await compile(
    '[defaults]\nwatchdog = "30s"\nmax_memory = "1GB"\ncanary = 1\ncanary_time = "60s"\nready = "http:/up"\nwarmup = 3\nhost = "::1"\n' +
      `${oneshot}[program.web]\ncommand = "x"\nport = 3000\nworkers = 2\n[program.one]\ncommand = "x"\nport = 3001\n`,
  );
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  const [job, web, one] = compiled.plan.programs;
  expect(job).toMatchObject({ replacement: { watchdogMs: null, maxMemoryBytes: null }, listeners: [] });
  expect(job?.workerKind).not.toMatchObject({ readiness: { when: 'answers' } });
  expect(web).toMatchObject({
    replacement: { watchdogMs: 30_000, maxMemoryBytes: 1024 ** 3 },
    rollout: { steps: { canary: 1, canaryMs: 60_000 } },
    workerKind: { readiness: { when: 'answers', warmup: 3 } },
    listeners: [{ host: '::1' }],
  });
  expect(one).toMatchObject({
    replacement: { watchdogMs: 30_000 },
    rollout: { steps: { canary: 0 } },
  });
});

test('another value in [defaults] is no change for the programs that cannot use it', async () => {
  const of = async (defaults: string): Promise<Plan> => {
    const compiled = await compile(
      `[defaults]\ndirectory = "/srv"\n${defaults}\n[program.web]\ncommand = "x"\nport = 3000\n[program.prepare]\ncommand = "x"\ntype = "oneshot"\n` +
        '[program.queue]\ncommand = "x"\ntype = "worker"\n[program.clean]\ncommand = "x"\ntype = "oneshot"\nschedule = "@daily"\n',
    );
    if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
    return compiled.plan;
  };
  const changed = async (defaults: string): Promise<readonly string[]> =>
    comparePlans(await of(''), await of(defaults)).changed.map(({ program }) => program);
  const forServers = [
    'rescue = "5s"',
    'migrate = false',
    'backlog = 9',
    'max_requests = 5',
    'keepalive = "60s"',
    'rollback_on = "5xx > 5% over 10s"',
    'host = "::1"',
  ];
  for (const key of forServers) expect([key, await changed(key)]).toEqual([key, ['web']]);
  const forLasting = ['watchdog = "30s"', 'max_memory = "1GB"', 'probation = "5s"', 'max_surge = 1'];
  for (const key of forLasting) expect([key, await changed(key)]).toEqual([key, ['web', 'queue']]);
});

test('a key of [defaults] that no program can have is a problem', async () => {
  await expectProblems(`[defaults]\nwatchdog = "30s"\n${oneshot}`, ['2:12 defaults.watchdog: does not fit']);
  await expectProblems(
    `[defaults]\ncanary = 1\ncanary_time = "60s"\n${server}[program.api]\ncommand = "x"\nport = 0\n`,
    [
      '2:10 defaults.canary: has no effect with one worker',
      '3:15 defaults.canary_time: has no effect without a canary',
    ],
  );
  // It is for no program.
  await expectProblems(`[defaults]\nwatchdog = "30s"\n${server}watchdog = "1s"\n`, []);
  // It may be for the program whose type is wrong.
  await expectProblems(`[defaults]\nwatchdog = "30s"\n${oneshot}[program.api]\ncommand = "x"\ntype = "x"\n`, [
    '8:8 program.api.type: must be',
  ]);
});
