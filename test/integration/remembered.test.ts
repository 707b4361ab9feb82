// A program that an operator has stopped stays stopped when the master is started again: with `remember = true` always, otherwise if it was killed.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gracefulctl, type Ended } from '../helpers/run-gracefulctl.ts';
import { runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

function ctl(master: RunningMaster, ...args: readonly string[]): Promise<Ended> {
  return gracefulctl(args, { XDG_RUNTIME_DIR: master.runtime });
}

function worker(name: string, more = ''): string {
  return `[program.${name}]\ntype = "worker"\ncommand = ["sleep", "1000"]\nstartsecs = "50ms"\ndrain_timeout = "100ms"\n${more}\n`;
}

const plan = `[master]
name = "site"
remember = true
${worker('db')}${worker('shop', 'depends_on = ["db"]')}${worker('extra', 'autostart = false')}`;

interface Setup {
  readonly start: () => RunningMaster;
  readonly file: string;
  readonly folder: string;
  /** The folder of the control sockets. */
  readonly runtime: string;
}

function setUp(remember = 'remember = true'): Setup {
  const folder = temporaryFolder();
  const runtime = temporaryFolder();
  writeFileSync(join(folder, 'graceful.toml'), plan.replace('remember = true', remember));
  const start = (): RunningMaster =>
    runMaster({
      hasOwnFlags: false,
      flags: ['-c', 'graceful.toml', '--log-format', 'json'],
      command: [],
      cwd: folder,
      name: 'site',
      runtime,
      env: { XDG_STATE_HOME: join(folder, 'state') },
    });
  return { start, file: join(folder, 'state', 'graceful-run', 'site.json'), folder, runtime };
}

function of(program: string): (event: object) => boolean {
  return (event) => Reflect.get(event, 'program') === program;
}

async function states(master: RunningMaster): Promise<Readonly<Record<string, string>>> {
  return fieldOf(master, 'state');
}

async function phases(master: RunningMaster): Promise<Readonly<Record<string, string>>> {
  return fieldOf(master, 'phase');
}

async function fieldOf(
  master: RunningMaster,
  field: 'state' | 'phase',
): Promise<Readonly<Record<string, string>>> {
  const { out } = await ctl(master, 'status', '--json');
  const all = out.trim().split('\n');
  return Object.fromEntries(
    all.map((line) => {
      const status = JSON.parse(line) as { program: string; state: string; phase: string };
      return [status.program, status[field]];
    }),
  );
}

test('what operators have stopped and started is kept over the end of the master, be it sudden', async () => {
  const { start, file } = setUp();
  const first = start();
  await first.waitFor('generationReady', of('shop'));
  expect(existsSync(file)).toBe(false);
  expect(await ctl(first, 'stop', '--wait', 'shop')).toMatchObject({ code: 0 });
  expect(await ctl(first, 'start', '--wait', 'extra')).toMatchObject({ code: 0 });
  first.signal('SIGKILL');
  await first.exited;

  const second = start();
  await second.waitFor('generationReady', of('db'));
  await second.waitFor('generationReady', of('extra'));
  expect(await states(second)).toEqual({ db: 'RUNNING', shop: 'STOPPED', extra: 'RUNNING' });
  expect(await phases(second)).toMatchObject({ shop: 'stopped' });
  await second.waitFor('keptStopped', of('shop'));
  expect(await ctl(second, 'start', '--wait', 'shop')).toMatchObject({ code: 0 });
  expect(await ctl(second, 'stop', '--wait', 'extra')).toMatchObject({ code: 0 });
  // The end of the master stops everything, and is no wish of an operator.
  expect(await ctl(second, 'shutdown', '--wait')).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, wanted: {} });

  const third = start();
  await third.waitFor('generationReady', of('shop'));
  expect(await states(third)).toEqual({ db: 'RUNNING', shop: 'RUNNING', extra: 'STOPPED' });
});

test('a program that was stopped is not started for those that depend on it: they wait', async () => {
  const { start } = setUp();
  const first = start();
  await first.waitFor('generationReady', of('shop'));
  expect(await ctl(first, 'stop', '--wait', 'db')).toMatchObject({ code: 0 });
  expect(await ctl(first, 'shutdown', '--wait')).toMatchObject({ code: 0 });
  const second = start();
  expect(await second.waitFor('startWaits', of('shop'))).toMatchObject({ programs: ['db'] });
  expect(await states(second)).toMatchObject({ db: 'STOPPED', shop: 'STOPPED' });
});

test('a file that is broken is told and ignored, and replaced with the next request', async () => {
  const { start, file } = setUp();
  const first = start();
  await first.waitFor('generationReady', of('shop'));
  expect(await ctl(first, 'stop', '--wait', 'shop')).toMatchObject({ code: 0 });
  expect(await ctl(first, 'shutdown', '--wait')).toMatchObject({ code: 0 });
  writeFileSync(file, '{"version":1,"wan');
  const second = start();
  expect(await second.waitFor('rememberedFailed')).toMatchObject({ file });
  await second.waitFor('generationReady', of('shop'));
  expect(await ctl(second, 'stop', '--wait', 'shop')).toMatchObject({ code: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ version: 1, wanted: { shop: false } });
});

test('a program whose autostart becomes false keeps running, and is not started with the next master', async () => {
  const { start, folder } = setUp();
  const first = start();
  await first.waitFor('generationReady', of('shop'));
  writeFileSync(join(folder, 'graceful.toml'), plan.replace('depends_on = ["db"]', 'autostart = false'));
  expect((await ctl(first, 'update')).out).toBe(
    '~ shop: depends_on (takes effect at once), autostart (takes effect when the master is started again)\nshop: changed\n',
  );
  expect(await states(first)).toMatchObject({ shop: 'RUNNING', extra: 'STOPPED' });
  expect(await ctl(first, 'shutdown', '--wait')).toMatchObject({ code: 0 });
  const second = start();
  await second.waitFor('generationReady', of('db'));
  expect(await states(second)).toMatchObject({ shop: 'STOPPED' });
  writeFileSync(join(folder, 'graceful.toml'), plan);
  expect((await ctl(second, 'update')).out).toContain('shop: started');
  expect(await states(second)).toMatchObject({ shop: 'RUNNING', extra: 'STOPPED' });
});

test('without remember, what operators have stopped is kept if the master is killed, and not over its regular end', async () => {
  const { start, folder, runtime } = setUp('');
  const first = start();
  await first.waitFor('generationReady', of('shop'));
  expect(await ctl(first, 'stop', '--wait', 'shop')).toMatchObject({ code: 0 });
  first.signal('SIGKILL');
  await first.exited;
  expect(readdirSync(join(runtime, 'graceful-run'))).toContain('site.wanted');

  const second = start();
  await second.waitFor('generationReady', of('db'));
  expect(await states(second)).toEqual({ db: 'RUNNING', shop: 'STOPPED', extra: 'STOPPED' });
  // Nobody has stopped `extra`, which has autostart = false.
  expect(await phases(second)).toMatchObject({ shop: 'stopped', extra: 'idle' });
  expect(second.all('keptStopped')).toHaveLength(1);
  expect(await ctl(second, 'shutdown', '--wait')).toMatchObject({ code: 0 });
  expect(readdirSync(join(runtime, 'graceful-run'))).not.toContain('site.wanted');
  expect(existsSync(join(folder, 'state'))).toBe(false);

  const third = start();
  await third.waitFor('generationReady', of('shop'));
  expect(await states(third)).toEqual({ db: 'RUNNING', shop: 'RUNNING', extra: 'STOPPED' });
});

test('what operators have stopped stays stopped over an upgrade of the master', async () => {
  const { start } = setUp();
  const master = start();
  await master.waitFor('generationReady', of('shop'));
  expect(await ctl(master, 'stop', '--wait', 'shop')).toMatchObject({ code: 0 });
  expect(await ctl(master, 'start', '--wait', 'extra')).toMatchObject({ code: 0 });
  master.signal('SIGUSR2');
  await master.waitFor('masterUpgraded');
  expect(await states(master)).toEqual({ db: 'RUNNING', shop: 'STOPPED', extra: 'RUNNING' });
  expect(await ctl(master, 'stop', '--wait', 'extra')).toMatchObject({ code: 0 });
  expect(await ctl(master, 'update')).toMatchObject({ code: 0 });
  expect(await states(master)).toEqual({ db: 'RUNNING', shop: 'STOPPED', extra: 'STOPPED' });
});
