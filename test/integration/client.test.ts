// graceful-run/client against running masters.
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  connect,
  type EventRecord,
  GracefulRunError,
  ReloadFailure,
  UpdateFailure,
} from '../../src/client/index.ts';
import { planInvalid } from '../../src/master/config/plan-invalid.ts';
import { version } from '../../src/shared/version.ts';
import { isRunning } from '../../src/shared/is-running.ts';
import { controlledMaster, planOf, serving } from '../helpers/controlled-master.ts';
import { FakeMaster, openFake, socketFolder } from '../helpers/fake-master.ts';
import { app, runMaster, temporaryFolder } from '../helpers/run-master.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const failing = serving({ command: app('exits-before-ready') });

describe('a client of a master of many programs', () => {
  test('sees the master and its programs', async () => {
    const { path } = await controlledMaster(planOf('many', { shop: serving(), mail: serving() }));
    const client = connect({ path });
    expect(await client.master()).toMatchObject({
      name: 'many',
      pid: process.pid,
      file: '/etc/graceful.toml',
    });
    expect(await client.programs()).toMatchObject([{ program: 'shop' }, { program: 'mail' }]);
    expect(await client.program('shop').status()).toMatchObject({ program: 'shop', phase: 'serving' });
    await expect(client.program('none').status()).rejects.toMatchObject({ code: 'programNotFound' });
  });

  test('reloads, restarts, scales, stops and starts one program', async () => {
    const { path } = await controlledMaster(planOf('many', { shop: serving(), mail: serving() }));
    const shop = connect({ path }).program('shop');
    expect(await shop.reload({ wait: 'drained' })).toMatchObject({ generation: 2, ok: true });
    expect(await shop.reload({ wait: false })).toEqual({ generation: 3 });
    expect(await shop.restart()).toMatchObject({ generation: 4, ok: true });
    expect(await shop.scale(2)).toEqual({ workers: 2, before: 1 });
    await expect(shop.scale(0)).rejects.toMatchObject({ code: 'controlRequestRejected' });
    expect(await shop.stop()).toEqual({ pid: process.pid });
    expect(await shop.status()).toMatchObject({ phase: 'stopped', isWanted: false });
    await expect(shop.reload()).rejects.toMatchObject({ code: 'programStopped' });
    expect(await shop.start()).toMatchObject({ ok: true });
    expect(await shop.start()).toMatchObject({ ok: true });
  });

  test('gets the result of a start that failed with the error', async () => {
    const plan = planOf('many', { broken: { ...failing, autostart: false }, shop: serving() });
    const { path } = await controlledMaster(plan);
    const error: unknown = await connect({ path })
      .program('broken')
      .start()
      .catch((reason: unknown) => reason);
    if (!(error instanceof ReloadFailure)) throw error;
    expect(error).toMatchObject({
      code: 'startFailed',
      result: { ok: false, failure: { reason: 'exited' } },
    });
  });

  test('updates, and is told the problems of a plan and of programs', async () => {
    const controlled = await controlledMaster(planOf('many', { shop: serving(), mail: serving() }));
    const client = connect({ path: controlled.path });
    controlled.read = () => planOf('many', { shop: serving({ workers: 2 }), mail: serving() });
    expect(await client.update({ dryRun: true })).toMatchObject({ applied: false });
    expect(await client.update()).toMatchObject({
      applied: true,
      difference: { changed: [{ program: 'shop' }] },
    });
    controlled.read = () => planOf('many', { shop: failing, mail: serving() });
    const failed: unknown = await client.update().catch((reason: unknown) => reason);
    if (!(failed instanceof UpdateFailure)) throw failed;
    expect(failed.result.programs).toMatchObject([{ program: 'shop' }]);
    const problem = {
      file: '/etc/graceful.toml',
      line: 3,
      column: 8,
      key: 'program.shop.port',
      message: 'must be a whole number',
      hint: null,
    };
    controlled.read = () => {
      throw planInvalid('/etc/graceful.toml', [problem]);
    };
    await expect(client.update()).rejects.toMatchObject({ code: 'planInvalid', problems: [problem] });
  });

  test('follows the events of a program from the moment in which the stream is open', async () => {
    const { path } = await controlledMaster(planOf('many', { shop: serving(), mail: serving() }));
    const client = connect({ path });
    const events = client.program('shop').events();
    await events.open();
    await client.program('mail').reload();
    await client.program('shop').reload();
    const seen: EventRecord[] = [];
    for await (const event of events) {
      seen.push(event);
      if (event.event === 'generationReady') break;
    }
    expect(seen[0]).toMatchObject({ event: 'reloadRequested', program: 'shop', generation: 2 });
    expect(new Set(seen.map(({ program }) => program))).toEqual(new Set(['shop']));
  });

  test('ends the iteration of events with the reason of its signal', async () => {
    const { path } = await controlledMaster(planOf('many', { shop: serving() }));
    const ending = new AbortController();
    const events = connect({ path }).events({ signal: ending.signal });
    await events.open();
    ending.abort(new Error('enough'));
    await expect(drained(events)).rejects.toThrow('enough');
  });
});

async function drained(events: AsyncIterable<EventRecord>): Promise<readonly EventRecord[]> {
  const all: EventRecord[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('a client of a master', () => {
  test.runIf(process.platform === 'linux')('upgrades it, while its worker serves', async () => {
    const master = runMaster();
    await master.serving();
    const client = connect({ path: master.controlSocket });
    const versions = { from: version, version, nodeFrom: process.versions.node, node: process.versions.node };
    expect(await client.upgrade()).toEqual({ ...versions, upgrades: 1 });
    expect(await client.upgrade()).toEqual({ ...versions, upgrades: 2 });
    expect(await client.master()).toMatchObject({ pid: master.pid, upgrades: 2 });
    expect(await client.programs()).toMatchObject([{ workers: [{ pid: await master.workerPid(1) }] }]);
  });

  test('is told why a master inside another program cannot be upgraded', async () => {
    const { path } = await controlledMaster(planOf('many', { shop: serving() }));
    await expect(connect({ path }).upgrade()).rejects.toMatchObject({ code: 'upgradeFailed' });
  });

  test('finds it by its name, and stops it', async () => {
    const master = runMaster({ name: 'shop' });
    await master.serving();
    vi.stubEnv('GRACEFUL_RUN_CONTROL_FOLDER', join(master.runtime, 'graceful-run'));
    await expect(connect({ name: 'shpo' }).master()).rejects.toMatchObject({
      code: 'masterNotFound',
      hint: expect.stringContaining('shop') as string,
    });
    const client = connect({ name: 'shop' });
    const following = drained(connect().events());
    expect(await client.program('shop').reload()).toMatchObject({ ok: true, generation: 2 });
    const { pid } = await client.stop();
    expect([pid, isRunning(pid)]).toEqual([master.pid, false]);
    expect((await following).at(-1)).toMatchObject({ event: 'stopped' });
    await expect(client.master()).rejects.toMatchObject({ code: 'masterNotFound' });
  });

  test('without a name has to be the only one', async () => {
    const folder = temporaryFolder();
    vi.stubEnv('GRACEFUL_RUN_CONTROL_FOLDER', folder);
    await expect(connect().master()).rejects.toMatchObject({ code: 'masterNotFound' });
    for (const name of ['one', 'two']) {
      const server = await openFake(folder, new FakeMaster(), name);
      onTestFinished(() => server.close());
    }
    await expect(connect().programs()).rejects.toMatchObject({ code: 'masterAmbiguous' });
    await expect(connect().events().open()).rejects.toMatchObject({ code: 'masterAmbiguous' });
    expect(await connect({ name: 'two' }).program('web').status()).toMatchObject({ program: 'web' });
  });

  test('cannot have a name that is no file name', () => {
    expect(() => connect({ name: '../shop' })).toThrow(GracefulRunError);
  });
});

describe('the signal of a call', () => {
  test('ends a reload that waits, and the reload goes on', async () => {
    const folder = socketFolder();
    onTestFinished(folder.remove);
    const master = new FakeMaster();
    const server = await openFake(folder.path, master);
    onTestFinished(() => server.close());
    const web = connect({ path: server.path }).program('web');
    const ending = new AbortController();
    const reloading = web.reload({ signal: ending.signal });
    await master.called('reload');
    ending.abort(new Error('not any more'));
    await expect(reloading).rejects.toThrow('not any more');
    expect(master.calls).toEqual(['reload']);
  });

  test('that is aborted already keeps the call from being made', async () => {
    const nowhere = connect({ path: '/nowhere.sock' });
    const web = nowhere.program('web');
    const signal = AbortSignal.abort(new Error('too late'));
    for (const call of [
      web.status({ signal }),
      web.reload({ signal }),
      web.stop({ signal }),
      nowhere.upgrade({ signal }),
    ])
      await expect(call).rejects.toThrow('too late');
    await expect(web.events({ signal }).open()).rejects.toThrow('too late');
  });
});

test('a process that has its answer ends by itself', async () => {
  const { path } = await controlledMaster(planOf('many', { shop: serving() }));
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(new URL('../..', import.meta.url).pathname, join(folder, 'node_modules', 'graceful-run'));
  const script = join(folder, 'deploy.mjs');
  writeFileSync(
    script,
    `import { connect } from 'graceful-run/client';
const shop = connect({ path: process.argv[2] }).program('shop');
const events = shop.events();
await events.open();
const { generation } = await shop.reload();
for await (const { event } of events) if (event === 'generationReady') break;
console.log(generation);
`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [script, path], { timeout: 10_000 });
  expect(stdout).toBe('2\n');
});
