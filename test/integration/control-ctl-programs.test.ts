// gracefulctl over several programs, under one master and under a master for each. Real masters, real workers.
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../src/ctl/show/columns.ts';
import { type Ended, gracefulctl, startGracefulctl } from '../helpers/run-gracefulctl.ts';
import { of } from '../helpers/run-host.ts';
import { appPath, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

/** What gracefulctl is asked about. */
class Programs {
  /** Of the control sockets, and of the files that the workers run. */
  readonly folder: string = temporaryFolder();

  readonly ctl = (...args: readonly string[]): Promise<Ended> => gracefulctl(args, this.env);

  get env(): NodeJS.ProcessEnv {
    return { GRACEFUL_RUN_CONTROL_FOLDER: join(this.folder, 'graceful-run') };
  }

  /** The file that the worker of a program runs. Its name has characters that take two columns of a terminal. */
  fileOf(name: string): string {
    return join(this.folder, `アプリ-${name}.cjs`);
  }

  /** Its next worker exits before it is ready. */
  spoil(name: string): void {
    writeFileSync(this.fileOf(name), "throw new Error('no database');");
  }

  /** What a command says about each program, by its name. */
  async reports(...args: readonly string[]): Promise<Readonly<Record<string, Line>>> {
    const { out } = await this.ctl(...args, '--json');
    const lines = out.trim().split('\n');
    return Object.fromEntries(
      lines.map((text) => {
        const line = JSON.parse(text) as Line;
        return [line.program, line];
      }),
    );
  }

  async generations(): Promise<Readonly<Record<string, number | null | undefined>>> {
    const lines = await this.reports('list');
    return Object.fromEntries(Object.entries(lines).map(([name, { generation }]) => [name, generation]));
  }
}

/** A line of JSON: a status, or a report. */
interface Line {
  readonly program: string;
  readonly generation?: number | null;
  readonly state: string;
  readonly ok?: boolean;
  readonly exitCode?: number;
  readonly memoryBytes?: number | null;
  readonly cpuPercent?: number | null;
  readonly error?: { readonly code: string } | null;
}

interface Settings {
  readonly autostart?: boolean;
  readonly workers?: number;
}

interface OfOneMaster {
  readonly programs: Programs;
  readonly master: RunningMaster;
  readonly file: string;
  readonly plan: (names: readonly string[], changed?: Settings) => void;
}

/** One master, with a config file, of all of these programs. `settings`: keys of each. */
async function oneMaster(
  names: readonly string[],
  {
    name = 'platform',
    programs = new Programs(),
    ...settings
  }: Settings & {
    readonly name?: string;
    readonly programs?: Programs;
  } = {},
): Promise<OfOneMaster> {
  const file = join(programs.folder, `${name}.json`);
  const plan: OfOneMaster['plan'] = (all, changed = {}) => {
    const tables = all.map((program): [string, object] => {
      const command = [process.execPath, programs.fileOf(program)];
      return [program, { command, port: 0, host: '127.0.0.1', probation: '0s', ...settings, ...changed }];
    });
    writeFileSync(file, JSON.stringify({ master: { name }, program: Object.fromEntries(tables) }));
  };
  for (const program of names) copyFileSync(appPath('serves'), programs.fileOf(program));
  plan(names);
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', file, '--log-format', 'json', '--log-level', 'debug'],
    command: [],
    name,
    runtime: programs.folder,
  });
  const isReady = settings.autostart ?? true;
  await Promise.all(
    isReady
      ? names.map(async (program) => master.waitFor('generationReady', of(program)))
      : [master.waitFor('masterStarted')],
  );
  return { programs, master, file, plan };
}

/** A master for each of these programs. */
async function manyMasters(names: readonly string[]): Promise<Programs> {
  const programs = new Programs();
  for (const name of names) copyFileSync(appPath('serves'), programs.fileOf(name));
  const masters = names.map((name) =>
    runMaster({ runtime: programs.folder, name, command: [process.execPath, programs.fileOf(name)] }),
  );
  await Promise.all(masters.map(async (master) => master.serving()));
  return programs;
}

const three = ['api', 'web-1', 'web-2'] as const;

describe.each([
  ['under one master', async () => (await oneMaster(three)).programs],
  ['under a master for each', () => manyMasters(three)],
])('three programs %s', (_where, start) => {
  test('are reloaded, scaled and restarted by name, by pattern and all together, and no others are', async () => {
    const programs = await start();
    expect(await programs.generations()).toEqual({ api: 1, 'web-1': 1, 'web-2': 1 });
    expect((await programs.ctl('reload', 'web-*', '--wait=drained')).code).toBe(0);
    expect(await programs.generations()).toEqual({ api: 1, 'web-1': 2, 'web-2': 2 });
    expect((await programs.ctl('reload', 'api', 'web-1', '--wait')).code).toBe(0);
    expect(await programs.generations()).toEqual({ api: 2, 'web-1': 3, 'web-2': 2 });
    expect(await programs.reports('restart', '--all', '--wait')).toMatchObject({
      api: { ok: true, state: 'serving', exitCode: 0 },
      'web-1': { ok: true, state: 'serving' },
      'web-2': { ok: true, state: 'serving' },
    });
    expect(await programs.generations()).toEqual({ api: 3, 'web-1': 4, 'web-2': 3 });
    expect((await programs.ctl('reload', 'all', '--wait')).code).toBe(0);
    expect(await programs.generations()).toEqual({ api: 4, 'web-1': 5, 'web-2': 4 });
    const statusOf = async (...names: readonly string[]): Promise<readonly unknown[]> => {
      const { out: lines } = await programs.ctl('status', ...names, '--json');
      return lines
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { program: unknown }).program);
    };
    expect(await statusOf('all')).toEqual(await statusOf());
    const { code, out } = await programs.ctl('scale', 'api', 'web-2', '2');
    expect([code, out.split('\n').sort()]).toEqual([
      0,
      ['', 'api: workers wanted: 2 (before: 1)', 'web-2: workers wanted: 2 (before: 1)'],
    ]);
  });

  test('one that fails keeps no other from being reloaded, and decides the exit code', async () => {
    const programs = await start();
    programs.spoil('web-1');
    const { code, out, err } = await programs.ctl('reload', '--all', '--wait');
    expect(code).toBe(1);
    expect(out.split('\n').length).toBe(3);
    expect(err).toMatch(/^web-1: cannot reload: .*no database.* \(see gracefulctl status web-1\)\n$/);
    expect(await programs.generations()).toEqual({ api: 2, 'web-1': 1, 'web-2': 2 });
  });

  test('a name that is unknown is reported with the nearest, and the others are done', async () => {
    const programs = await start();
    const { code, out, err } = await programs.ctl('reload', 'api', 'web-3', '--wait');
    expect(code).toBe(3);
    expect(out).toMatch(/^api: generation 2 serves/);
    expect(err).toContain('did you mean gracefulctl reload web-1?');
    expect(await programs.reports('reload', 'web-3')).toMatchObject({
      'web-3': { ok: false, state: 'failed', exitCode: 3, error: { code: 'programNotFound' } },
    });
  });

  test('a command that acts is refused without a name, before anything is done', async () => {
    const programs = await start();
    const { code, err } = await programs.ctl('reload');
    expect(code).toBe(2);
    expect(err).toContain('api, web-1, web-2');
    expect(await programs.generations()).toEqual({ api: 1, 'web-1': 1, 'web-2': 1 });
  });

  test('status is a table of 80 columns with memory and CPU, and one of them is shown in full', async () => {
    const programs = await start();
    const { code, out } = await gracefulctl(['status'], { ...programs.env, COLUMNS: '80' });
    expect(code).toBe(0);
    for (const name of three)
      expect(out).toMatch(new RegExp(`^ *${name} +serving +1 +1/1 +\\d+s +\\S.* \\d+ MB +\\d+%$`, 'm'));
    expect(out.split('\n').filter((line) => widthOf(line) > 80)).toEqual([]);
    const lines = await programs.reports('status');
    for (const name of three) {
      expect(lines[name]?.memoryBytes).toBeGreaterThan(10_000_000);
      expect(lines[name]?.cpuPercent).toBeGreaterThanOrEqual(0);
    }
    expect((await programs.ctl('status', 'web-1')).out).toMatch(/^program +web-1$/m);
  });
});

describe('a master with a config file', () => {
  test('lives on when its programs are stopped, and starts them again', async () => {
    const { programs, master } = await oneMaster(three);
    expect(await programs.reports('stop', 'web-*', '--wait')).toMatchObject({
      'web-1': { ok: true, state: 'stopped' },
      'web-2': { ok: true, state: 'stopped' },
    });
    const status = await programs.ctl('status');
    // Nothing is wrong with a program that was stopped on purpose, unless it is asked for.
    expect(status.code).toBe(0);
    expect((await programs.ctl('status', 'web-1')).code).toBe(4);
    expect(status.out).toMatch(/^ {2}web-1 +stopped +/m);
    for (const words of [['web-1'], ['web-1', '--wait']]) {
      const reload = await programs.ctl('reload', ...words);
      expect([reload.code, reload.err]).toEqual([4, expect.stringContaining('gracefulctl start web-1')]);
    }
    expect(await programs.ctl('stop', 'api', '--wait')).toMatchObject({ code: 0, out: 'api: stopped\n' });
    expect(await programs.ctl('stop', 'api')).toMatchObject({
      code: 0,
      out: 'api: stop accepted; to see whether it has stopped: gracefulctl status api\n',
    });
    expect((await programs.ctl('start', '--all', '--wait')).code).toBe(0);
    expect(await programs.generations()).toEqual({ api: 2, 'web-1': 2, 'web-2': 2 });
    for (const words of [['api'], ['api', '--wait']])
      expect((await programs.ctl('start', ...words)).out).toBe('api: already running: generation 2 serves\n');
    expect(await programs.generations()).toEqual({ api: 2, 'web-1': 2, 'web-2': 2 });
    expect(master.child.exitCode).toBe(null);
  });

  test('ends with all of its programs at a shutdown', async () => {
    const { programs, master } = await oneMaster(['api', 'shop']);
    const { code, out } = await programs.ctl('shutdown', '--wait');
    expect([code, out]).toEqual([0, 'stopped\n']);
    expect((await master.exited).code).toBe(0);
    expect((await programs.ctl('status')).code).toBe(3);
  });

  test('stands above its programs, with its name meaning all of them to a command that looks', async () => {
    const { programs, file } = await oneMaster(['api', 'shop']);
    for (const words of [['list'], ['status', 'platform']]) {
      const { out } = await programs.ctl(...words);
      expect(out).toMatch(new RegExp(`^platform: 2 programs, pid \\d+, ${file}$`, 'm'));
      expect(out).toMatch(/^ {2}shop +serving/m);
    }
    expect((await programs.ctl('status', 'shop')).out).toContain(`, ${file}\n`);
    const reload = await programs.ctl('reload', 'platform');
    expect([reload.code, reload.err]).toEqual([
      2,
      expect.stringContaining("gracefulctl reload 'platform:*'"),
    ]);
  });

  test('update prints the difference, a dry run alone does nothing, and a broken file changes nothing', async () => {
    const { programs, plan, file } = await oneMaster(['api', 'shop', 'mail']);
    copyFileSync(appPath('serves'), programs.fileOf('new'));
    plan(['api', 'shop', 'new'], { workers: 2 });
    const dry = await programs.ctl('update', '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.out.split('\n')).toEqual([
      '+ new',
      '- mail',
      expect.stringMatching(/^~ api: workers \(/),
      expect.stringMatching(/^~ shop: workers \(/),
      expect.stringContaining('nothing was done'),
      '',
    ]);
    expect(Object.keys(await programs.generations()).sort()).toEqual(['api', 'mail', 'shop']);
    const update = await programs.ctl('update', 'platform');
    expect(update.code).toBe(0);
    expect(update.out).toContain('new: started\n');
    expect(Object.keys(await programs.generations()).sort()).toEqual(['api', 'new', 'shop']);
    writeFileSync(file, '{');
    const broken = await programs.ctl('update');
    expect([broken.code, broken.out]).toEqual([2, '']);
    expect(broken.err.split('\n')).toEqual([
      `gracefulctl: cannot update: ${file} has 1 problem; nothing was changed`,
      expect.stringMatching(new RegExp(`^${file}:1:2: `)),
      '',
    ]);
    const json = await programs.ctl('update', '--json');
    expect([json.code, json.err]).toEqual([2, '']);
    expect(JSON.parse(json.out)).toMatchObject({
      command: 'update',
      ok: false,
      master: 'platform',
      program: null,
      error: { code: 'planInvalid', problems: [{ file }] },
    });
    expect(Object.keys(await programs.generations()).sort()).toEqual(['api', 'new', 'shop']);
  });

  test('of forty programs, each has its line, and nothing is wider than the terminal', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `a-program-with-quite-a-long-name-${index}`);
    const { programs } = await oneMaster(names, { autostart: false });
    for (const columns of ['80', '40']) {
      const { code, out } = await gracefulctl(['status'], { ...programs.env, COLUMNS: columns });
      expect(code).toBe(0);
      const lines = out.trimEnd().split('\n');
      expect(lines.filter((line) => /^ +a-prog/.test(line)).length).toBe(40);
      expect(lines.filter((line) => widthOf(line) > Number(columns))).toEqual([]);
    }
  });
});

test('programs of one name under two masters are told apart by master:program', async () => {
  const programs = new Programs();
  await oneMaster(['api', 'shop'], { name: 'blue', programs });
  await oneMaster(['mail', 'shop'], { name: 'green', programs });
  const refused = await programs.ctl('reload', 'shop');
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('gracefulctl reload blue:shop')]);
  expect((await programs.ctl('reload', 'green:shop', '--wait')).code).toBe(0);
  const { out } = await programs.ctl('status', '*:shop', '--json');
  const generations = out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as Line).generation);
  expect(generations).toEqual([1, 2]);
  expect((await programs.ctl('update', 'shop')).err).toContain('shop is a program of the master blue');
});

test('a master that was started for one program ends when that is stopped, whether by its name or not', async () => {
  const programs = await manyMasters(['api', 'shop']);
  expect((await programs.ctl('stop', 'api', '--wait')).code).toBe(0);
  expect(Object.keys(await programs.generations())).toEqual(['shop']);
  const update = await programs.ctl('update');
  expect([update.code, update.err]).toEqual([1, expect.stringContaining('not started with a config file')]);
  expect((await programs.ctl('stop', '--wait')).code).toBe(0);
  expect((await programs.ctl('status')).code).toBe(3);
});

test('events follows all masters until they stop, and one program where it is named', async () => {
  const { programs } = await oneMaster(['api', 'shop']);
  const everything = startGracefulctl(['events', '--json'], programs.env);
  const one = startGracefulctl(['events', 'shop', '--json'], programs.env);
  const seen = [everything, one].map((child) => {
    const lines: { readonly program: string; readonly event: string }[] = [];
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map((line) => JSON.parse(line) as (typeof lines)[number]));
    });
    return { lines, ended: once(child, 'close') };
  });
  // Both follow as soon as they see an event of a program that is scaled up and down.
  for (let workers = 2; seen.some(({ lines }) => lines.length === 0); workers = 3 - workers)
    await programs.ctl('scale', 'shop', String(workers));
  await programs.ctl('scale', 'api', '2');
  await programs.ctl('shutdown', '--wait');
  await Promise.all(seen.map(({ ended }) => ended));
  const [all, shop] = seen.map(({ lines }) => new Set(lines.map(({ program }) => program)));
  expect(all).toContain('api');
  expect(all).toContain('shop');
  expect([...(shop ?? [])]).toEqual(['shop']);
});
