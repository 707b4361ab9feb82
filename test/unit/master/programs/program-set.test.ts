// Random commands, as many operators at once would give them: whatever they are, every program comes to what is wanted of it last.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlanOptions, ProgramOptions } from '../../../../src/master/config/options.ts';
import { createMaster, type OwnedMaster } from '../../../../src/master/master.ts';
import type { EventRecord } from '../../../../src/shared/events.ts';
import { createFakePlatform } from '../../../helpers/fake-platform.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { freePort } from '../../../helpers/plain-client.ts';

const names = ['db', 'cache', 'shop', 'mail'] as const;
const dependsOn: Readonly<Record<string, readonly string[]>> = { cache: ['db'], shop: ['db', 'cache'] };
const ports = await Promise.all(names.map(async () => freePort()));

/** `version`: what the environment says; 0: its workers fail. */
function planOf(versions: readonly number[]): PlanOptions {
  const programs = names.map((name, index): [string, ProgramOptions] => {
    const version = versions[index] ?? 1;
    return [
      name,
      {
        command: ['node', 'examples/hello.js'],
        listen: [`127.0.0.1:${ports[index] ?? 0}`],
        environment: { VERSION: String(version), ...(version === 0 ? { FAILS: '1' } : {}) },
        startretries: 0,
        probation: version === 3 ? '20ms' : '0s',
        dependsOn: dependsOn[name] ?? [],
      },
    ];
  });
  return { name: 'random', control: false, programs: Object.fromEntries(programs) };
}

const resting: ReadonlySet<string> = new Set(['idle', 'serving', 'stopped', 'failed']);

type Order =
  | { readonly do: 'start' | 'stop' | 'restart' | 'reload' | 'more' | 'fewer'; readonly program: string }
  | { readonly do: 'update'; readonly versions: readonly number[] }
  | { readonly do: 'wait'; readonly turns: number };

const orders: fc.Arbitrary<readonly Order[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'start' as const,
          'stop' as const,
          'restart' as const,
          'reload' as const,
          'more' as const,
          'fewer' as const,
        ),
        program: fc.constantFrom(...names),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('update' as const),
        versions: fc.array(fc.integer({ min: 0, max: 3 }), {
          minLength: names.length,
          maxLength: names.length,
        }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.nat({ max: 30 }) }) },
  ),
  { maxLength: 25 },
);

async function obey(master: OwnedMaster, order: Order): Promise<unknown> {
  switch (order.do) {
    case 'wait':
      for (let turn = 0; turn < order.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return null;
    case 'update':
      return master.update(planOf(order.versions));
    case 'more':
    case 'fewer':
      master.program(order.program).changeWorkerCount(order.do === 'more' ? 1 : -1);
      return null;
    case 'start':
    case 'stop':
    case 'restart':
    case 'reload':
      return master.program(order.program)[order.do]();
  }
}

test('whatever is asked for, and in whatever order, each program comes to what was wanted last, and the master ends', async () => {
  await fc.assert(
    fc.asyncProperty(orders, async (list) => {
      const { platform, workers } = createFakePlatform();
      const master = createMaster(planOf([1, 1, 1, 1]), {
        platform,
        environment: { PATH: process.env['PATH'] },
      });
      const events: EventRecord[] = [];
      master.subscribe((event) => events.push(event));
      await master.start();
      const asked: Promise<unknown>[] = [];
      for (const order of list) {
        // What cannot be done any more is refused: a reload of a program that is stopped.
        const answer = obey(master, order).catch((error: unknown) => error);
        if (order.do === 'wait') await answer;
        else asked.push(answer);
      }
      const answers = await Promise.race([
        Promise.all(asked),
        new Promise<null>((resolve) => setTimeout(resolve, 20_000, null)),
      ]);
      // What waits for a program that does not serve waits on: nothing else may.
      const open = master.programs().filter(({ waitsFor, isWanted }) => isWanted && waitsFor.length > 0);
      if (open.length === 0) expect(answers).not.toBeNull();
      expect(events.filter(({ event }) => event === 'internalError')).toEqual([]);
      await eventually('no program is on its way', () =>
        master.programs().every(({ phase }) => resting.has(phase)),
      );
      for (const { program, isWanted, phase, waitsFor, lastReload } of master.programs()) {
        if (!isWanted) expect([program, phase]).toEqual([program, 'stopped']);
        else if (waitsFor.length === 0 && lastReload?.ok === true)
          expect([program, phase]).toEqual([program, 'serving']);
      }
      await master.stop();
      expect(workers.filter(({ hasEnded }) => !hasEnded)).toEqual([]);
      expect(await master.ended).toBeNull();
    }),
    { numRuns: 150, endOnFailure: true },
  );
}, 120_000);

test('what follows the lines of a program ends when an update removes that', async () => {
  const { platform } = createFakePlatform();
  const plan = planOf([1, 1, 1, 1]);
  const master = createMaster(plan, { platform, environment: { PATH: process.env['PATH'] } });
  await master.start();
  const lines = master.commands.logs(
    { program: 'mail', stream: 'stderr', lines: 0, since: null, follows: true },
    new AbortController().signal,
  );
  const next = lines[Symbol.asyncIterator]().next();
  const kept = Object.entries(plan.programs).filter(([name]) => name !== 'mail');
  await master.update({ ...plan, programs: Object.fromEntries(kept) });
  expect((await next).done).toBe(true);
  await master.stop();
});

async function started(plan: PlanOptions): Promise<OwnedMaster> {
  const { platform } = createFakePlatform();
  const master = createMaster(plan, { platform, environment: { PATH: process.env['PATH'] } });
  await master.start();
  return master;
}

test('a program that was removed while its change had failed can be added again', async () => {
  const [good, bad] = [planOf([1, 1, 1, 1]), planOf([1, 1, 1, 0])];
  const master = await started(good);
  const failed = await master.update(bad);
  expect(failed.programs).toMatchObject([{ program: 'mail', done: 'reloaded' }]);
  const others = Object.entries(good.programs).filter(([name]) => name !== 'mail');
  await master.update({ ...good, programs: Object.fromEntries(others) });
  const added = await master.update(planOf([1, 1, 1, 2]));
  expect(added.difference).toMatchObject({ added: ['mail'], changed: [] });
  expect(master.program('mail').status().phase).toBe('serving');
  await master.stop();
});

test('an update takes away what a program waits for, while another one is started', async () => {
  const daemon = {
    command: ['node', 'examples/hello.js'],
    type: 'worker',
    startretries: 0,
    startsecs: '1ms',
  } as const;
  const broken = { ...daemon, environment: { FAILS: '1' } };
  const waiting = { ...daemon, overlap: false };
  const base: PlanOptions = { name: 'random', control: false, programs: {} };
  const master = await started({
    ...base,
    programs: { broken, waiting: { ...waiting, dependsOn: ['broken'] } },
  });
  const { programs } = await master.update({
    ...base,
    programs: { broken, waiting: { ...waiting, environment: { VERSION: '2' } }, added: daemon },
  });
  expect(programs.map(({ program }) => program).toSorted()).toEqual(['added', 'waiting']);
  await eventually('it runs', () => master.program('waiting').status().phase === 'serving');
  await master.stop();
});

test('what an operator stops stays stopped, although an update has to restart it', async () => {
  const daemon = {
    command: ['node', 'examples/hello.js'],
    type: 'worker',
    overlap: false,
    startsecs: '1ms',
  } as const;
  const other = { ...daemon, overlap: true };
  const base: PlanOptions = { name: 'random', control: false, programs: { daemon, other } };
  const master = await started(base);
  const stopped = master.program('daemon').stop();
  await master.update({ ...base, programs: { daemon: { ...daemon, environment: { VERSION: '2' } }, other } });
  await stopped;
  expect(master.program('daemon').status()).toMatchObject({ isWanted: false, phase: 'stopped' });
  await master.stop();
});
