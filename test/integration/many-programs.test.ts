// Many programs under one master: each has its own listeners, workers and life. The master runs inside this process.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { PlanOptions, ProgramOptions } from '../../src/master/config/options.ts';
import { createMaster, type OwnedMaster } from '../../src/master/master.ts';
import type { EventRecord } from '../../src/shared/events.ts';
import { freePort, get, whoAnswers } from '../helpers/plain-client.ts';
import { app, kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failuresOf } from '../helpers/tally.ts';

const masters: OwnedMaster[] = [];

afterEach(async () => {
  await Promise.all(masters.splice(0).map(async (master) => master.stop()));
});

interface Running {
  readonly master: OwnedMaster;
  readonly events: readonly EventRecord[];
}

async function running(programs: PlanOptions['programs']): Promise<Running> {
  const master = createMaster({ name: 'many', control: false, programs }, { onStderr: () => undefined });
  masters.push(master);
  const events: EventRecord[] = [];
  onTestFinished(master.subscribe((event) => events.push(event)));
  await master.start();
  return { master, events };
}

function onPorts(ports: readonly number[], options: Partial<ProgramOptions> = {}): ProgramOptions {
  return {
    command: app('listens-on-ports'),
    listen: ports.map((port) => `127.0.0.1:${port}`),
    probation: '0s',
    ...options,
    environment: { PORTS: ports.join(','), ...options.environment },
  };
}

async function who(port: number): Promise<{ pid: number; generation: number; variable: string | null }> {
  return JSON.parse((await get(port)).body) as { pid: number; generation: number; variable: string | null };
}

function orderOf(events: readonly EventRecord[], name: EventRecord['event']): readonly string[] {
  return events.filter(({ event }) => event === name).map(({ program }) => program);
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let i = 0; i < count; i += 1) ports.push(await freePort());
  return ports;
}

describe('dependencies', () => {
  test('a program is started when what it depends on serves, and is stopped before it', async () => {
    const [a = 0, b = 0, c = 0] = await freePorts(3);
    const { master, events } = await running({
      shop: onPorts([a], { dependsOn: ['cache'] }),
      cache: onPorts([b], { dependsOn: ['db'] }),
      db: onPorts([c]),
    });
    expect(orderOf(events, 'generationStarted')).toEqual(['db', 'cache', 'shop']);
    const started = events.findIndex(
      ({ event, program }) => event === 'generationStarted' && program === 'shop',
    );
    const served = events.findIndex(
      ({ event, program }) => event === 'generationReady' && program === 'cache',
    );
    expect(served).toBeLessThan(started);
    await master.stop();
    expect(orderOf(events, 'stopped')).toEqual(['shop', 'cache', 'db']);
  });

  test('a program whose dependency fails is not started, and is once that serves', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master, events } = await running({
      db: { ...onPorts([a]), command: app('exits-before-ready') },
      shop: onPorts([b], { dependsOn: ['db'] }),
    });
    expect(master.program('db').status()).toMatchObject({
      phase: 'backoff',
      isWanted: true,
      lastReload: { ok: false },
    });
    expect(master.program('shop').status()).toMatchObject({
      phase: 'idle',
      isWanted: true,
      waitsFor: ['db'],
    });
    expect(orderOf(events, 'startWaits')).toEqual(['shop']);
    // Asked for again, it does not wait for ever.
    const waiting = { code: 'programStopped', message: expect.stringContaining('it waits for db') as string };
    await expect(master.program('shop').start()).rejects.toMatchObject(waiting);
    await expect(master.program('shop').restart()).rejects.toMatchObject(waiting);
    const result = await master.update({
      name: 'many',
      control: false,
      programs: { db: onPorts([a]), shop: onPorts([b], { dependsOn: ['db'] }) },
    });
    expect(result.difference.changed).toMatchObject([{ program: 'db', keys: ['command'] }]);
    expect(await master.program('db').start()).toMatchObject({ ok: true });
    expect(await master.program('shop').start()).toMatchObject({ ok: true });
    expect((await who(b)).generation).toBe(1);
  });
});

test('programs that do not depend on each other start at the same time, and only those that do wait', async () => {
  const folder = temporaryFolder();
  const hold = join(folder, 'hold');
  writeFileSync(hold, '');
  const table = (name: string, command: readonly string[], keys = ''): string =>
    `[program.${name}]\ncommand = ${JSON.stringify(command)}\nlisten = ["127.0.0.1:0"]\n${keys}`;
  writeFileSync(
    join(folder, 'many.toml'),
    [
      table('slow', app('boots-when-told'), `environment = { HOLD = ${JSON.stringify(hold)} }\n`),
      table('after', app('serves'), 'depends_on = ["slow"]\n'),
      table('shop', app('serves')),
      table('mail', app('serves')),
    ].join('\n'),
  );
  const flags = ['-c', 'many.toml', '--log-format', 'json', '--log-level', 'debug'];
  const master = runMaster({ name: 'many', hasOwnFlags: false, flags, command: [], cwd: folder });
  const of =
    (program: string) =>
    (event: object): boolean =>
      Reflect.get(event, 'program') === program;
  await master.waitForLine('booting');
  for (const program of ['shop', 'mail']) {
    await master.waitFor('generationReady', of(program));
    const { port } = await master.waitFor('listenerBound', of(program));
    expect((await whoAnswers(port ?? 0)).generation).toBe(1);
  }
  // It still boots: it does so until it gets this signal.
  const { pid } = await master.waitFor('workerStarted', of('slow'));
  expect(master.all('generationReady', of('slow'))).toEqual([]);
  expect(master.all('workerStarted', of('after'))).toEqual([]);
  kill(pid ?? 0, 'SIGUSR2');
  await master.waitFor('generationReady', of('slow'));
  await master.waitFor('generationReady', of('after'));
});

describe('one program of many', () => {
  test('is stopped and started again, and the others do not notice', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master, events } = await running({ shop: onPorts([a]), mail: onPorts([b]) });
    const { pid } = await who(b);
    await master.program('shop').stop();
    await expect(get(a)).rejects.toThrow('ECONNREFUSED');
    expect(master.program('shop').status()).toMatchObject({ phase: 'stopped', isWanted: false });
    await expect(master.program('shop').reload()).rejects.toMatchObject({ code: 'programStopped' });
    expect(await master.program('shop').start()).toMatchObject({ ok: true, generation: 2 });
    expect((await who(a)).generation).toBe(2);
    expect((await who(b)).pid).toBe(pid);
    expect(events.filter(({ event, program }) => program === 'mail' && event === 'workerExited')).toEqual([]);
  });

  test('keeps its clients waiting while it is restarted', async () => {
    const [a = 0] = await freePorts(1);
    const { master } = await running({ shop: onPorts([a]), mail: onPorts([await freePort()]) });
    const load = startLoad({ port: a, mode: 'fresh', clients: 4 });
    await load.moreAnswers(50);
    expect(await master.program('shop').restart()).toMatchObject({ ok: true, generation: 2 });
    await load.moreAnswers(50);
    const tally = await load.stop();
    expect(failuresOf(tally)).toBe(0);
  });

  test('that cannot be bound has failed to start, with the reason, and the others serve', async () => {
    const [a = 0] = await freePorts(1);
    const { master } = await running({
      shop: { ...onPorts([a]), listen: ['192.0.2.1:80'] },
      mail: onPorts([a]),
    });
    expect(master.program('shop').status()).toMatchObject({
      phase: 'failed',
      lastReload: { ok: false, failure: { reason: 'notStarted', errorCode: 'addressUnusable' } },
    });
    expect((await who(a)).generation).toBe(1);
  }, 20_000);

  test('a name that no program has is refused, with the nearest', async () => {
    const { master } = await running({
      shop: onPorts([await freePort()]),
      mail: onPorts([await freePort()]),
    });
    expect(() => master.program('shpo')).toThrow(
      expect.objectContaining({ code: 'programNotFound', hint: 'did you mean shop?' }),
    );
    expect(() => master.status()).toThrow(expect.objectContaining({ code: 'programAmbiguous' }));
  });
});

describe('a changed plan', () => {
  const plan = (programs: PlanOptions['programs']): PlanOptions => ({
    name: 'many',
    control: false,
    programs,
  });

  test('adds and removes a listener under load, and no request on the other one fails', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master } = await running({
      shop: onPorts([a], { probation: '1s', workers: 2 }),
      mail: onPorts([await freePort()]),
    });
    const mail = master.program('mail').status();
    const change = (ports: readonly number[]): PlanOptions => {
      const port = mail.listeners[0]?.port ?? 0;
      return plan({ shop: onPorts(ports, { probation: '1s', workers: 2 }), mail: onPorts([port]) });
    };
    const loads = [
      startLoad({ port: a, mode: 'fresh', clients: 4 }),
      startLoad({ port: a, mode: 'keepAlive', clients: 4, paceMs: 5 }),
    ];
    await Promise.all(loads.map(async (load) => load.moreAnswers(50)));
    for (const round of [1, 2, 3]) {
      const added = await master.update(change([a, b]));
      expect(added.programs).toEqual([{ program: 'shop', done: 'reloaded', problem: null }]);
      expect((await who(b)).generation).toBe(2 * round);
      const removed = await master.update(change([a]));
      expect(removed.programs).toEqual([{ program: 'shop', done: 'reloaded', problem: null }]);
      await refused(b);
      await Promise.all(loads.map(async (load) => load.moreAnswers(50)));
    }
    const tallies = await Promise.all(loads.map(async (load) => load.stop()));
    expect(tallies.map(failuresOf)).toEqual([0, 0]);
    expect(tallies.map(({ closedIdle }) => closedIdle)).toEqual([0, 0]);
    expect(master.program('mail').status().workers).toMatchObject(mail.workers.map(({ pid }) => ({ pid })));
  }, 60_000);

  test('with a release that fails leaves the old one serving, with its old plan', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master } = await running({
      shop: onPorts([a], { environment: { VARIABLE: 'old' } }),
      mail: onPorts([await freePort()]),
    });
    const mail = onPorts([master.program('mail').status().listeners[0]?.port ?? 0]);
    const failing = plan({
      shop: {
        ...onPorts([a, b], { environment: { VARIABLE: 'new' } }),
        command: app('exits-before-ready'),
      },
      mail,
    });
    const result = await master.update(failing);
    expect(result.programs).toMatchObject([
      { program: 'shop', done: 'reloaded', problem: expect.stringContaining('exited with code') as string },
    ]);
    expect(await who(a)).toMatchObject({ generation: 1, variable: 'old' });
    // The same plan again tries it again.
    const again = await master.update(failing);
    expect(again.difference.changed).toEqual(result.difference.changed);
    expect(again.programs).toMatchObject([{ program: 'shop', done: 'reloaded' }]);
    // A worker that crashes now is replaced by one like it.
    process.kill((await who(a)).pid, 'SIGKILL');
    expect(await who(a)).toMatchObject({ generation: 1, variable: 'old' });
    const repaired = await master.update(
      plan({ shop: onPorts([a, b], { environment: { VARIABLE: 'new' } }), mail }),
    );
    expect(repaired.programs).toEqual([{ program: 'shop', done: 'reloaded', problem: null }]);
    expect(await who(a)).toMatchObject({ generation: 4, variable: 'new' });
    expect(await who(b)).toMatchObject({ generation: 4 });
    expect(
      (await master.update(plan({ shop: onPorts([a, b], { environment: { VARIABLE: 'new' } }), mail })))
        .difference.changed,
    ).toEqual([]);
  }, 30_000);

  test('moves a port from one program to another, and no client is refused', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master, events } = await running({ old: onPorts([a]), other: onPorts([b]) });
    const load = startLoad({ port: a, mode: 'fresh', clients: 4 });
    await load.moreAnswers(50);
    const result = await master.update(plan({ renamed: onPorts([a]), other: onPorts([b]) }));
    expect(result.programs.map(({ program, done, problem }) => [program, done, problem])).toEqual([
      ['renamed', 'started', null],
      ['old', 'removed', null],
    ]);
    await load.moreAnswers(50);
    expect(failuresOf(await load.stop())).toBe(0);
    // The workers of the other program hold the socket, but it was not closed for them.
    expect(orderOf(events, 'listenerLeftBehind')).toEqual([]);
  }, 30_000);

  test('that repairs a program that failed to start starts it, and what waits for it', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const shop = onPorts([b], { dependsOn: ['db'] });
    const { master } = await running({ db: { ...onPorts([a]), command: app('exits-before-ready') }, shop });
    const result = await master.update(plan({ db: onPorts([a]), shop }));
    expect(result.programs).toEqual([{ program: 'db', done: 'started', problem: null }]);
    expect((await who(a)).generation).toBeGreaterThan(1);
    expect(await master.program('shop').start()).toMatchObject({ ok: true, generation: 1 });
  }, 20_000);

  test('does not start a program that was stopped by a request', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master } = await running({ shop: onPorts([a]), mail: onPorts([b]) });
    await master.program('shop').stop();
    const result = await master.update(
      plan({ shop: onPorts([a], { environment: { VARIABLE: 'new' } }), mail: onPorts([b]) }),
    );
    expect(result.programs).toEqual([{ program: 'shop', done: 'changed', problem: null }]);
    expect(master.program('shop').status()).toMatchObject({ phase: 'stopped', isWanted: false });
    await master.program('shop').start();
    expect(await who(a)).toMatchObject({ variable: 'new' });
  });

  test('whose plan is wrong as a whole changes nothing, and names no file', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master, events } = await running({ shop: onPorts([a]) });
    const shop = onPorts([a], { dependsOn: ['db', 'mail'] });
    const mail = onPorts([b], { dependsOn: ['shop'] });
    await expect(master.update(plan({ shop, mail }))).rejects.toMatchObject({
      code: 'planInvalid',
      problems: [
        { file: null, key: 'programs.shop.dependsOn[0]' },
        { file: null, key: 'programs.shop.dependsOn[1]' },
      ],
    });
    expect(events.filter(({ event }) => event === 'planRefused')).toMatchObject([{ file: null }]);
    expect(master.programs()).toMatchObject([{ program: 'shop', generation: 1 }]);
    const { file } = await master.update(plan({ shop: onPorts([a]) }));
    expect(file).toBeNull();
  });

  test('that cannot be done changes nothing: every problem is told at once', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master, events } = await running({ shop: onPorts([a]), mail: onPorts([b]) });
    const before = events.length;
    const pids = await Promise.all([who(a), who(b)]);
    await expect(
      master.update(
        plan({
          shop: { ...onPorts([a]), command: ['no-such-command'] },
          mail: { ...onPorts([b]), cwd: '/no/such/folder' },
          extra: onPorts([await freePort()]),
        }),
      ),
    ).rejects.toMatchObject({
      code: 'planInvalid',
      problems: [{ key: 'programs.shop.command' }, { key: 'programs.mail.cwd' }],
    });
    expect(events.slice(before).map(({ event }) => event)).toEqual(['planRefused']);
    expect(await Promise.all([who(a), who(b)])).toEqual(pids);
    expect(master.programs().map(({ program }) => program)).toEqual(['shop', 'mail']);
  });

  test('changes the number of workers and the times at once, without a reload', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master, events } = await running({ shop: onPorts([a]), mail: onPorts([b]) });
    const { pid } = await who(a);
    const result = await master.update(
      plan({ shop: onPorts([a], { workers: 2, drainTimeout: '3s' }), mail: onPorts([b]) }),
    );
    expect(result.difference.changed).toEqual([
      { program: 'shop', keys: ['workers', 'drain_timeout'], needs: 'nothing', later: [], runsAgain: false },
    ]);
    expect(orderOf(events, 'reloadRequested')).toEqual([]);
    const { workers, generation } = master.program('shop').status();
    expect([generation, workers.length, workers[0]?.pid]).toEqual([1, 2, pid]);
  });

  test('whose listener excludes the one before it stops the program in between', async () => {
    const [a = 0, b = 0] = await freePorts(2);
    const { master } = await running({ shop: onPorts([a]), mail: onPorts([b]) });
    const wide = { ...onPorts([a]), listen: [`0.0.0.0:${a}`] };
    const result = await master.update(plan({ shop: wide, mail: onPorts([b]) }));
    expect(result.difference.changed).toEqual([
      { program: 'shop', keys: ['listen'], needs: 'restart', later: [], runsAgain: false },
    ]);
    expect(result.programs).toEqual([{ program: 'shop', done: 'restarted', problem: null }]);
    expect((await who(a)).generation).toBe(2);
  }, 20_000);
});

async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      await get(port);
    } catch (error) {
      if (error instanceof Error && error.message.includes('ECONNREFUSED')) return;
    }
  }
}
