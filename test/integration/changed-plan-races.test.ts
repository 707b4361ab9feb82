// A plan that changes, and a master that stops, while programs are on their way from one state to another. The master runs inside this process.
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { compileOptions, type PlanOptions, type ProgramOptions } from '../../src/master/config/options.ts';
import { noPlaces } from '../../src/master/config/plan-places.ts';
import { createMaster, createMasterOf, type OwnedMaster } from '../../src/master/master.ts';
import { deferred } from '../../src/master/deferred.ts';
import type { EventRecord } from '../../src/shared/events.ts';
import { eventually } from '../helpers/eventually.ts';
import { begin, freePort, get } from '../helpers/plain-client.ts';
import { app } from '../helpers/run-master.ts';

const masters: OwnedMaster[] = [];

afterEach(async () => {
  await Promise.all(
    masters.splice(0).map(async (master) => {
      const first = master.stop();
      void master.stop();
      await first;
    }),
  );
});

const plan = (programs: PlanOptions['programs']): PlanOptions => ({
  name: 'races',
  control: false,
  programs,
});

function created(programs: PlanOptions['programs']): {
  readonly master: OwnedMaster;
  readonly events: readonly EventRecord[];
} {
  const master = createMaster(plan(programs), { onStderr: () => undefined });
  masters.push(master);
  const events: EventRecord[] = [];
  master.subscribe((event) => events.push(event));
  return { master, events };
}

async function running(programs: PlanOptions['programs']): Promise<ReturnType<typeof created>> {
  const made = created(programs);
  await made.master.start();
  return made;
}

function onPort(port: number, options: Partial<ProgramOptions> = {}): ProgramOptions {
  return {
    command: app('serves'),
    listen: [`127.0.0.1:${port}`],
    probation: '0s',
    ...options,
    environment: { PORT: String(port), ...options.environment },
  };
}

async function who(port: number): Promise<{ pid: number; generation: number; release: string | null }> {
  return JSON.parse((await get(port)).body) as { pid: number; generation: number; release: string | null };
}

/** Holds a free port, as another program of this machine does. */
async function busyPort(): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    async free() {
      server.close();
      await once(server, 'close');
    },
  };
}

function happened(
  events: readonly EventRecord[],
  name: EventRecord['event'],
  program: string,
): Promise<void> {
  return eventually(`${name} of ${program}`, () =>
    events.some((one) => one.event === name && one.program === program),
  );
}

/** A worker that is told to drain accepts what has queued before it stops. */
function refused(port: number): Promise<void> {
  return eventually(`port ${port} is closed`, () =>
    get(port).then(
      () => false,
      (error: unknown) => error instanceof Error && error.message.includes('ECONNREFUSED'),
    ),
  );
}

/** Ends the answers that the worker `pid` holds back. */
function release(pid: number): void {
  process.kill(pid, 'SIGUSR2');
}

describe('an update', () => {
  test('back to the plan before, after one whose release failed on another port', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const { master } = await running({ shop: onPort(a), mail: onPort(b) });
    await master.update(
      plan({ shop: { ...onPort(c), command: app('exits-before-ready') }, mail: onPort(b) }),
    );
    expect((await who(a)).generation).toBe(1);
    const result = await master.update(plan({ shop: onPort(a), mail: onPort(b) }));
    expect(result.programs).toEqual([{ program: 'shop', done: 'reloaded', problem: null }]);
    expect((await who(a)).generation).toBe(3);
  }, 20_000);

  test('that gives another program a port which a failed update has left with the old release', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const { master } = await running({ shop: onPort(a), mail: onPort(b) });
    const broken = { ...onPort(c), command: app('exits-before-ready') };
    await master.update(plan({ shop: broken, mail: onPort(b) }));
    const result = await master.update(plan({ shop: onPort(c), mail: onPort(b), extra: onPort(a) }));
    expect(result.programs).toEqual([
      { program: 'shop', done: 'reloaded', problem: null },
      { program: 'extra', done: 'started', problem: null },
    ]);
  }, 20_000);

  test('of a program that is being bound reaches the start that is under way', async () => {
    const { port, free } = await busyPort();
    const mail = onPort(await freePort());
    const { master, events } = created({ shop: onPort(port), mail });
    const started = master.start();
    await happened(events, 'addressBusy', 'shop');
    const updated = master.update(plan({ shop: onPort(port, { environment: { RELEASE: 'new' } }), mail }));
    await happened(events, 'planChanged', 'races');
    await free();
    await Promise.all([started, updated]);
    expect(await who(port)).toMatchObject({ generation: 1, release: 'new' });
  }, 20_000);

  test('of a program that waits for a busy port gives it a free one', async () => {
    const busy = await busyPort();
    const [a, b] = [await freePort(), await freePort()];
    const { master, events } = created({ shop: onPort(busy.port), mail: onPort(b) });
    const started = master.start();
    await happened(events, 'addressBusy', 'shop');
    await master.update(plan({ shop: onPort(a), mail: onPort(b) }));
    await started;
    expect(await who(a)).toMatchObject({ generation: 1 });
    await busy.free();
  }, 20_000);

  test('changes a program that drains before it stops, and the others as if it did not', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const { master } = await running({ shop: onPort(a), mail: onPort(b), old: onPort(c) });
    const { pid } = await who(a);
    const { answer } = await begin(a, '/held');
    const stopped = master.program('shop').stop();
    const result = await master.update(
      plan({ shop: onPort(a, { environment: { RELEASE: 'new' }, workers: 2 }), mail: onPort(b) }),
    );
    expect(result.programs).toEqual([
      { program: 'shop', done: 'changed', problem: null },
      { program: 'old', done: 'removed', problem: null },
    ]);
    await refused(a);
    release(pid);
    expect((await answer).body).toBe('begun, ended');
    await stopped;
    expect(master.programs().map(({ program, phase }) => [program, phase])).toEqual([
      ['shop', 'stopped'],
      ['mail', 'serving'],
    ]);
    expect(master.record().programs[0]?.versions.at(-1)?.listeners).toEqual([]);
    await master.program('shop').start();
    expect((await who(a)).release).toBe('new');
    expect(master.program('shop').status().workers).toHaveLength(2);
  }, 20_000);

  test('of a program that drains before it is started again reaches that start', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const { master } = await running({ shop: onPort(a), mail: onPort(b) });
    const { pid } = await who(a);
    const { answer } = await begin(a, '/held');
    const restarted = master.program('shop').restart();
    restarted.catch(() => undefined);
    const result = await master.update(plan({ shop: onPort(c), mail: onPort(b) }));
    expect(result.programs).toEqual([{ program: 'shop', done: 'changed', problem: null }]);
    release(pid);
    expect((await answer).body).toBe('begun, ended');
    expect(await restarted).toMatchObject({ ok: true });
    expect((await who(c)).generation).toBe(2);
    await refused(a);
  }, 20_000);

  test('starts what waited for a program that it need not wait for any more', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const db = { ...onPort(a), command: app('exits-before-ready') };
    const { master, events } = await running({ shop: onPort(b, { dependsOn: ['db'] }), db });
    expect(master.program('shop').status().phase).toBe('idle');
    await master.update(plan({ shop: onPort(b), db }));
    await happened(events, 'generationReady', 'shop');
    expect((await who(b)).generation).toBe(1);
  }, 20_000);

  test('that is refused leaves no worker of a program that was to be added', async () => {
    const { port, free } = await busyPort();
    const [a, b] = [await freePort(), await freePort()];
    const mail = onPort(await freePort());
    const { master, events } = await running({ shop: onPort(a), mail });
    const updated = master.update(plan({ shop: onPort(a), mail, extra: onPort(b), busy: onPort(port) }));
    updated.catch(() => undefined);
    await happened(events, 'addressBusy', 'busy');
    await expect((async () => master.program('extra').start())()).rejects.toMatchObject({
      code: 'programNotFound',
    });
    await expect(updated).rejects.toMatchObject({ code: 'planInvalid' });
    await expect(get(b)).rejects.toThrow('ECONNREFUSED');
    await free();
  }, 20_000);

  test('that is asked for a hundred times while another one reads the file reads it once more', async () => {
    const compiled = compileOptions(
      plan({ shop: onPort(await freePort()), mail: onPort(await freePort()) }),
      process.cwd(),
    );
    const [isReading, mayGoOn] = [deferred<undefined>(), deferred<undefined>()];
    let reads = 0;
    const master = createMasterOf(compiled, {
      onStderr: () => undefined,
      readPlan: async () => {
        reads += 1;
        isReading.resolve(undefined);
        await mayGoOn.promise;
        return { plan: compiled, places: noPlaces };
      },
    });
    masters.push(master);
    await master.start();
    const update = async (): Promise<unknown> => master.commands.update({ cause: 'signal', isDryRun: false });
    const first = update();
    await isReading.promise;
    const others = Array.from({ length: 100 }, update);
    mayGoOn.resolve(undefined);
    await Promise.all([first, ...others]);
    expect(reads).toBe(2);
  });

  test('removes a program that never becomes ready, without waiting for it', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { master, events } = created({
      shop: onPort(a),
      stuck: { ...onPort(b, { readyTimeout: '10m' }), command: app('never-ready') },
    });
    const started = master.start();
    await happened(events, 'generationStarted', 'stuck');
    const result = await master.update(plan({ shop: onPort(a) }));
    expect(result.programs).toEqual([{ program: 'stuck', done: 'removed', problem: null }]);
    await started;
  }, 20_000);
});

describe('the stop of a master', () => {
  test('lets a program drain that was told to stop before', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { master, events } = await running({ shop: onPort(a), mail: onPort(b, { dependsOn: ['shop'] }) });
    const { pid } = await who(a);
    const { answer } = await begin(a, '/held');
    const stopped = master.program('shop').stop();
    const ended = master.stop();
    await happened(events, 'stopped', 'mail');
    release(pid);
    expect((await answer).body).toBe('begun, ended');
    await Promise.all([stopped, ended]);
  }, 20_000);

  test('lets a program drain that is restarted', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { master, events } = await running({ shop: onPort(a), mail: onPort(b) });
    const { pid } = await who(a);
    const { answer } = await begin(a, '/held');
    const restarted = master.program('shop').restart();
    restarted.catch(() => undefined);
    const ended = master.stop();
    await happened(events, 'stopped', 'mail');
    release(pid);
    expect((await answer).body).toBe('begun, ended');
    await ended;
    await expect(restarted).rejects.toMatchObject({ code: 'masterStopped' });
    await refused(a);
  }, 20_000);

  test('in the middle of an update lets a removed program drain, and starts nothing', async () => {
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const { master, events } = await running({ shop: onPort(a), mail: onPort(b), old: onPort(c) });
    const { pid } = await who(c);
    const { answer } = await begin(c, '/held');
    // (It is for every address, so that it has to wait until the old one has let go.)
    const wide = { ...onPort(c), listen: [`0.0.0.0:${c}`] };
    const updated = master.update(plan({ shop: onPort(a), mail: onPort(b), extra: wide }));
    await happened(events, 'stopRequested', 'old');
    const ended = master.stop();
    await happened(events, 'stopped', 'mail');
    release(pid);
    expect((await answer).body).toBe('begun, ended');
    await ended;
    expect((await updated).programs).toContainEqual({
      program: 'extra',
      done: 'started',
      problem: expect.stringContaining('the master') as string,
    });
    expect(events.some(({ event, program }) => event === 'generationStarted' && program === 'extra')).toBe(
      false,
    );
  }, 20_000);

  test('while an update binds what it adds refuses the update', async () => {
    const { port, free } = await busyPort();
    const [a, b] = [await freePort(), await freePort()];
    const { master, events } = await running({ shop: onPort(a), mail: onPort(b) });
    const updated = master.update(plan({ shop: onPort(a), mail: onPort(b), extra: onPort(port) }));
    updated.catch(() => undefined);
    await happened(events, 'addressBusy', 'extra');
    const ended = master.stop();
    await free();
    await ended;
    await expect(updated).rejects.toMatchObject({ code: 'masterStopped' });
    await expect(get(port)).rejects.toThrow('ECONNREFUSED');
  }, 20_000);

  test('asked for twice kills every worker, whatever waits for it', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { master } = await running({ db: onPort(a), shop: onPort(b, { dependsOn: ['db'] }) });
    const held = await Promise.all([begin(a, '/held'), begin(b, '/held')]);
    const answers = held.map(async ({ answer }) => answer.catch(() => 'cut'));
    const first = master.stop();
    await master.stop();
    await first;
    expect(await Promise.all(answers)).toEqual(['cut', 'cut']);
  }, 20_000);
});

describe('a stop', () => {
  test('of a program that is restarted lets it drain', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const { master } = await running({ shop: onPort(a), mail: onPort(b) });
    const { pid } = await who(a);
    const { answer } = await begin(a, '/held');
    const restarted = master.program('shop').restart();
    restarted.catch(() => undefined);
    const stopped = master.program('shop').stop();
    await refused(a);
    release(pid);
    expect((await answer).body).toBe('begun, ended');
    await stopped;
    await expect(restarted).rejects.toMatchObject({ code: 'programStopped' });
  }, 20_000);
});
