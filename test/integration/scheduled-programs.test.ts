// Programs that run by the clock, under a real master. Most runs are those that were missed while no master ran: nothing has to be waited for.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { gracefulctl, type Ended } from '../helpers/run-gracefulctl.ts';
import { runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

interface Setup {
  readonly folder: string;
  readonly start: () => RunningMaster;
  readonly write: (text: string) => void;
  /** What the runs have written into the file `log`. */
  readonly log: () => readonly string[];
  /** When the master has last looked for runs. */
  readonly seenFile: string;
}

const dayMs = 86_400_000;

/** `missedDays`: for so long no master has looked for runs of `job`. */
function setUp(text: string, missedDays = 0): Setup {
  const folder = temporaryFolder();
  const write = (more: string): void => {
    writeFileSync(join(folder, 'graceful.toml'), `[master]\nname = "site"\n${more}`);
  };
  write(text);
  writeFileSync(join(folder, 'log'), '');
  const seenFile = join(folder, 'state', 'graceful-run', 'site.runs.json');
  if (missedDays > 0) {
    mkdirSync(join(folder, 'state', 'graceful-run'), { recursive: true });
    writeFileSync(seenFile, JSON.stringify({ version: 1, seen: { job: Date.now() - missedDays * dayMs } }));
  }
  return {
    folder,
    write,
    seenFile,
    log: () => readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(0, -1),
    start: () =>
      runMaster({
        hasOwnFlags: false,
        flags: ['-c', 'graceful.toml', '--log-format', 'json', '--log-level', 'debug'],
        command: [],
        cwd: folder,
        name: 'site',
        env: { XDG_STATE_HOME: join(folder, 'state') },
      }),
  };
}

function ctl(master: RunningMaster, ...args: readonly string[]): Promise<Ended> {
  return gracefulctl(args, { XDG_RUNTIME_DIR: master.runtime });
}

function job(script: string, more = ''): string {
  return `[program.job]
type = "oneshot"
command = ["sh", "-c", '''${script}''']
schedule = "@monthly"
${more}
`;
}

interface Shown {
  readonly state: string;
  readonly phase: string;
  readonly isWanted: boolean;
  readonly schedule: {
    readonly nextAt: number | null;
    readonly run: unknown;
    readonly lastRun: { readonly result: string; readonly durationMs: number } | null;
  };
}

async function shown(master: RunningMaster): Promise<Shown> {
  return JSON.parse((await ctl(master, 'status', '--json', 'job')).out) as Shown;
}

async function scheduled(master: RunningMaster): Promise<void> {
  await master.waitFor('masterStarted');
  await eventually('it is scheduled', async () => (await shown(master)).phase === 'scheduled');
}

test('it is not started with the master, runs when an operator says so, and shows what has come of it', async () => {
  const { start, log, folder } = setUp(job('echo ran >> log; test -e good', 'timezone = "Europe/Berlin"'));
  const master = start();
  await scheduled(master);
  expect(await shown(master)).toMatchObject({
    state: 'STOPPED',
    isWanted: true,
    schedule: { run: null, lastRun: null },
  });
  expect(log()).toEqual([]);
  const { out, code } = await ctl(master, 'status', 'job');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^schedule +@monthly in Europe\/Berlin, next run in \d+[dhm].*\(\d{4}-\d\d-01 00:00\)$/m,
  );
  expect(out).toContain('to run it now: gracefulctl start job');

  expect(await ctl(master, 'start', '--wait', 'job')).toMatchObject({ code: 1 });
  expect(await master.waitFor('runEnded')).toMatchObject({ result: 'failed', outcome: { code: 1 } });
  expect(master.all('runStarted')).toMatchObject([{ cause: 'request' }]);
  expect(await shown(master)).toMatchObject({
    state: 'EXITED',
    phase: 'scheduled',
    schedule: { lastRun: { result: 'failed' } },
  });
  const bad = await ctl(master, 'status', 'job');
  expect(bad.code).toBe(4);
  expect(bad.out).toMatch(/^last run \(\d+s ago\): failed with exit code 1 after /m);
  expect((await ctl(master, 'list')).out).toMatch(
    /job +scheduled .*last run failed \d+s ago with exit code 1/,
  );

  writeFileSync(join(folder, 'good'), '');
  const again = await ctl(master, 'start', '--wait', 'job');
  expect(again).toMatchObject({ code: 0 });
  expect(again.out).toContain('the run has succeeded');
  expect(await ctl(master, 'status', 'job')).toMatchObject({ code: 0 });
  expect(log()).toEqual(['ran', 'ran']);
  // It has nothing to reload: the next run has what has changed.
  const reloaded = await ctl(master, 'reload', '--wait', 'job');
  expect(reloaded).toMatchObject({ code: 0 });
  expect(reloaded.out).toContain('the changes apply to its next run');
  master.signal('SIGHUP');
  await master.waitFor('planChanged');
  expect(log()).toEqual(['ran', 'ran']);
});

test('runs that were missed while no master ran are made up for once, and only if that is wanted', async () => {
  const wanted = setUp(job('echo ran >> log', 'if_missed = "run"'), 70);
  const first = wanted.start();
  expect(await first.waitFor('runsMissed')).toMatchObject({ isMadeUp: true });
  expect(await first.waitFor('runEnded')).toMatchObject({ result: 'succeeded' });
  expect(first.all('runStarted')).toMatchObject([{ cause: 'missed' }]);
  expect(await ctl(first, 'shutdown', '--wait')).toMatchObject({ code: 0 });
  // The end of the master is no wish of an operator: what it has seen is kept.
  expect(readFileSync(wanted.seenFile, 'utf8')).toContain('"job"');
  const second = wanted.start();
  await scheduled(second);
  expect(second.all('runsMissed')).toEqual([]);
  expect(await ctl(second, 'stop', '--wait', 'job')).toMatchObject({ code: 0 });
  await eventually('it is forgotten', () => !readFileSync(wanted.seenFile, 'utf8').includes('"job"'));
  expect(wanted.log()).toEqual(['ran']);

  const unwanted = setUp(job('echo ran >> log'), 70);
  const master = unwanted.start();
  await scheduled(master);
  expect([master.all('runsMissed'), unwanted.log()]).toEqual([[], []]);
});

test('a run that takes too long gets the signals of a stop, and the outcome says so', async () => {
  const { start, log } = setUp(
    job(
      `trap 'echo term >> log' TERM; echo ran >> log; while :; do sleep 0.05; done`,
      'run_timeout = "300ms"\nif_missed = "run"\nstopsignal = "TERM 200ms, KILL"',
    ),
    70,
  );
  const master = start();
  expect(await master.waitFor('runTimedOut')).toMatchObject({ timeoutMs: 300 });
  expect(await master.waitFor('runEnded')).toMatchObject({ result: 'timedOut' });
  expect(log()).toEqual(['ran', 'term']);
  expect(await shown(master)).toMatchObject({
    phase: 'scheduled',
    isWanted: true,
    schedule: { lastRun: { result: 'timedOut' } },
  });
  expect((await ctl(master, 'status', 'job')).code).toBe(4);
  const again = await ctl(master, 'start', '--wait', 'job');
  expect(again).toMatchObject({ code: 1 });
  expect(again.err).toContain('the run was stopped');
});

test('a start that finds a run under way waits for its end, and says how it ended', async () => {
  const { start, folder } = setUp(job('until test -e go; do sleep 0.1; done; exit 3'));
  const master = start();
  await scheduled(master);
  expect(await ctl(master, 'start', 'job')).toMatchObject({ code: 0 });
  const { generation } = await master.waitFor('generationReady');
  let hasEnded = false;
  const waiting = ctl(master, 'start', '--wait', 'job').finally(() => {
    hasEnded = true;
  });
  const again = await ctl(master, 'start', 'job');
  expect(again.out).toBe(`already running: generation ${generation} serves\n`);
  await ctl(master, 'status', 'job');
  expect(hasEnded).toBe(false);
  writeFileSync(join(folder, 'go'), '');
  const { code, err } = await waiting;
  expect([code, err]).toEqual([1, expect.stringContaining('exited with code 3')]);
  expect(master.all('runStarted')).toHaveLength(1);
});

test('a stop ends the run, and nothing runs until a start, over the end of the master too', async () => {
  const { start, folder } = setUp(`remember = true\n${job('exec sleep 1000', 'if_missed = "run"')}`, 70);
  const first = start();
  await first.waitFor('runStarted');
  await first.waitFor('workerReady');
  expect(await ctl(first, 'stop', '--wait', 'job')).toMatchObject({ code: 0 });
  expect(first.all('runEnded')).toMatchObject([{ result: 'stopped' }]);
  expect(await shown(first)).toMatchObject({
    state: 'STOPPED',
    phase: 'stopped',
    isWanted: false,
    schedule: { nextAt: null },
  });
  expect((await ctl(first, 'reload', 'job')).err).toContain('it is stopped');
  expect(await ctl(first, 'shutdown', '--wait')).toMatchObject({ code: 0 });

  const second = start();
  await second.waitFor('keptStopped');
  expect(await shown(second)).toMatchObject({
    phase: 'stopped',
    isWanted: false,
    schedule: { nextAt: null },
  });
  expect(await ctl(second, 'start', 'job')).toMatchObject({ code: 0 });
  await second.waitFor('workerReady');
  expect(await shown(second)).toMatchObject({ state: 'RUNNING', isWanted: true });
  expect(existsSync(join(folder, 'state', 'graceful-run', 'site.json'))).toBe(true);
});

test('an update begins and ends no run, and schedules what is new', async () => {
  const { start, write, log, folder } = setUp(
    job('echo begins >> log; while ! test -e done; do sleep 0.05; done; echo ends >> log'),
  );
  const master = start();
  await scheduled(master);
  expect(await ctl(master, 'start', 'job')).toMatchObject({ code: 0 });
  await eventually('it has begun', () => log().length === 1);
  const before = (await shown(master)).schedule.nextAt ?? 0;
  write(
    `${job('echo other >> log', 'environment = { A = "1" }').replace('@monthly', '0 0 1 1 *')}[program.new]\ntype = "oneshot"\ncommand = ["true"]\nschedule = "@yearly"\n[program.later]\ntype = "oneshot"\ncommand = ["true"]\nschedule = "@yearly"\nautostart = false\n`,
  );
  const updated = await ctl(master, 'update');
  expect(updated).toMatchObject({ code: 0 });
  expect(updated.out).toContain('new: scheduled');
  expect((await shown(master)).schedule.nextAt).toBeGreaterThanOrEqual(before);
  writeFileSync(join(folder, 'done'), '');
  expect(await master.waitFor('runEnded')).toMatchObject({ result: 'succeeded' });
  expect(log()).toEqual(['begins', 'ends']);
  expect(await ctl(master, 'start', '--wait', 'job')).toMatchObject({ err: '', code: 0 });
  expect(log()).toEqual(['begins', 'ends', 'other']);
  expect(await ctl(master, 'start', '--wait', 'later')).toMatchObject({ code: 0 });
  expect(JSON.parse((await ctl(master, 'status', '--json', 'later')).out)).toMatchObject({
    phase: 'scheduled',
    schedule: { lastRun: { result: 'succeeded' } },
  });
});

test(
  'a run waits for no dependency, and the clock of the machine begins it',
  { timeout: 100_000 },
  async () => {
    const { start, log } = setUp(
      `[program.db]
type = "worker"
command = ["sleep", "1000"]
autostart = false
${job('echo ran >> log').replace('@monthly', '* * * * *')}[program.needy]
type = "oneshot"
command = ["true"]
schedule = "* * * * *"
depends_on = ["db"]
`,
    );
    const master = start();
    await eventually('its minute has come', () => master.all('runEnded').length > 0, 70_000);
    expect(await master.waitFor('runSkipped')).toMatchObject({
      program: 'needy',
      reason: 'dependency',
      programs: ['db'],
    });
    const ended = await master.waitFor('runEnded');
    expect(ended).toMatchObject({ program: 'job', result: 'succeeded' });
    const time = Number(Reflect.get(master.all('runStarted')[0] ?? {}, 'time'));
    // Not before its minute, and not long after it.
    expect(new Date(time).getUTCSeconds()).toBeLessThan(30);
    expect(log()).toEqual(['ran']);
    const metrics = (await ctl(master, 'status', '--json', 'needy')).out;
    expect(JSON.parse(metrics)).toMatchObject({ phase: 'scheduled', waitsFor: ['db'] });
  },
);
