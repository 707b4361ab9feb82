// gracefulctl upgrade, of real masters.
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../src/shared/control-api.ts';
import { version } from '../../src/shared/version.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { type Ended, gracefulctl } from '../helpers/run-gracefulctl.ts';
import { runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

const root = new URL('../..', import.meta.url).pathname;

function ctl({ runtime }: RunningMaster, ...args: readonly string[]): Promise<Ended> {
  return gracefulctl(args, { GRACEFUL_RUN_CONTROL_FOLDER: join(runtime, 'graceful-run') });
}

async function statusOf(master: RunningMaster): Promise<Status> {
  return JSON.parse((await ctl(master, 'status', '--json')).out) as Status;
}

describe.runIf(process.platform === 'linux')('gracefulctl upgrade', () => {
  test('replaces the master in its process, and exits 0 when the new version answers', async () => {
    const master = runMaster({ name: 'shop' });
    const port = await master.serving();
    const { pid } = await whoAnswers(port);
    const ended = await ctl(master, 'upgrade');
    expect(ended).toEqual({ code: 0, out: expect.stringContaining(version) as string, err: '' });
    const again = await ctl(master, 'upgrade', 'shop', '--json');
    expect([again.code, again.err, JSON.parse(again.out)]).toEqual([
      0,
      '',
      {
        command: 'upgrade',
        ok: true,
        master: 'shop',
        program: null,
        exitCode: 0,
        state: 'upgraded',
        result: {
          from: version,
          version,
          nodeFrom: process.versions.node,
          node: process.versions.node,
          upgrades: 2,
        },
        error: null,
      },
    ]);
    expect(master.all('upgradeRequested')).toMatchObject([{ cause: 'control' }, { cause: 'control' }]);
    expect(await statusOf(master)).toMatchObject({
      generation: 1,
      master: { pid: master.pid, upgrades: 2 },
      workers: [{ pid, state: 'ready' }],
    });
    expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
    expect((await ctl(master, 'upgrade', 'shpo')).code).toBe(3);
  }, 60_000);

  test('of several masters upgrades each that it names', async () => {
    const runtime = temporaryFolder();
    const masters = ['blue', 'green'].map((name) => runMaster({ name, runtime }));
    await Promise.all(masters.map(async (master) => master.serving()));
    const [blue, green] = masters;
    if (blue === undefined || green === undefined) throw new Error('no masters');
    expect((await ctl(blue, 'upgrade')).code).toBe(2);
    const all = await ctl(blue, 'upgrade', '--all');
    expect([all.code, all.err]).toEqual([0, '']);
    expect(
      all.out
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0])
        .sort(),
    ).toEqual(['blue', 'green']);
    expect((await ctl(blue, 'upgrade', 'green')).code).toBe(0);
    expect([(await blue.status()).master.upgrades, (await green.status()).master.upgrades]).toEqual([1, 2]);
  }, 60_000);

  test('to a version that cannot be started exits 1 with the reason and what to try, and the master runs as before', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'bin'));
    for (const name of ['dist', 'package.json', 'node_modules'])
      symlinkSync(join(root, name), join(folder, name));
    const script = join(folder, 'bin', 'graceful-run.cjs');
    copyFileSync(join(root, 'bin', 'graceful-run.cjs'), script);
    const master = runMaster({ name: 'shop', executable: script });
    const port = await master.serving();
    const { pid } = await whoAnswers(port);
    renameSync(script, `${script}.gone`);
    const { code, out, err } = await ctl(master, 'upgrade');
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('cannot upgrade: the new version cannot take over');
    expect(err).toContain(`Cannot find module '${script}'`);
    expect(err).toContain(`${script} --version`);
    writeFileSync(
      script,
      "console.error('graceful-run: cannot use X\\n  hint: install Y'); process.exit(1);\n",
    );
    const report = await ctl(master, 'upgrade', '--json');
    expect([report.code, JSON.parse(report.out)]).toMatchObject([
      1,
      {
        ok: false,
        state: 'failed',
        result: null,
        error: {
          code: 'upgradeFailed',
          message: expect.stringMatching(/take over: cannot use X$/) as string,
        },
      },
    ]);
    expect(await statusOf(master)).toMatchObject({
      master: { pid: master.pid, upgrades: 0 },
      workers: [{ pid, state: 'ready' }],
    });
    renameSync(`${script}.gone`, script);
    expect((await ctl(master, 'upgrade')).code).toBe(0);
    expect(await whoAnswers(port)).toMatchObject({ pid, generation: 1 });
  }, 60_000);
});
