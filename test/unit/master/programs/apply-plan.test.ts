// Properties of plans and their differences, over random plans. The workers are not real, the listeners are.
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { PlanOptions, ProgramOptions } from '../../../../src/master/config/options.ts';
import { createMaster, type OwnedMaster } from '../../../../src/master/master.ts';
import type { EventRecord } from '../../../../src/shared/events.ts';
import { createFakePlatform, type FakeWorker } from '../../../helpers/fake-platform.ts';
import { freePort } from '../../../helpers/plain-client.ts';

const names = ['a', 'b', 'c', 'd', 'e'] as const;
const ports = await Promise.all(Array.from({ length: 8 }, async () => freePort()));

/** A program without a port is not in the plan, or works without one, or runs by the clock, and never while a test lasts. */
const withoutPort: fc.Arbitrary<Kind | null> = fc.oneof(
  fc.constant(null),
  fc.record({ type: fc.constant('worker' as const), overlap: fc.boolean() }),
  fc.constant({ type: 'oneshot' as const, schedule: '0 0 29 2 *' }),
);

/**
 * Each program may have two of the ports, each port one program; it depends on programs with a smaller name. Those of `notStarted` have `autostart` false.
 */
const plansWith = (notStarted: readonly string[]): fc.Arbitrary<PlanOptions> =>
  fc
    .record({
      owners: fc.array(fc.nat({ max: names.length - 1 }), {
        minLength: ports.length,
        maxLength: ports.length,
      }),
      hosts: fc.array(fc.constantFrom('127.0.0.1', '0.0.0.0'), {
        minLength: ports.length,
        maxLength: ports.length,
      }),
      programs: fc.array(
        fc.record({
          without: withoutPort,
          workers: fc.integer({ min: 1, max: 3 }),
          variable: fc.constantFrom('1', '2'),
          drainTimeout: fc.constantFrom('1s', '2s'),
          priority: fc.constantFrom(1, 2, 999),
          autorestart: fc.constantFrom(true, 'unexpected' as const),
          dependsOn: fc.subarray([...names]),
          group: fc.constantFrom('one', 'two', null),
        }),
        { minLength: names.length, maxLength: names.length },
      ),
      groupPriority: fc.constantFrom(1, 500),
    })
    .map(({ owners, hosts, programs, groupPriority }) => {
      const listenOf = (owner: number): readonly string[] =>
        ports
          .flatMap((port, index) => (owners[index] === owner ? [`${hosts[index] ?? ''}:${port}`] : []))
          .slice(0, 2);
      const kinds = programs.map(({ without }, index) => {
        const listen = listenOf(index);
        return listen.length > 0 ? { listen, probation: '0s' } : without;
      });
      const canBeNeeded = names.filter(
        (name, index) => !notStarted.includes(name) && kinds[index] !== null && !isScheduled(kinds[index]),
      );
      const options = programs.flatMap((program, index): [string, ProgramOptions][] => {
        const { workers, variable, drainTimeout, priority, autorestart, dependsOn } = program;
        const kind = kinds[index] ?? null;
        const name = names[index] ?? '';
        if (kind === null) return [];
        const own = isScheduled(kind) ? {} : { workers, autorestart };
        const needed = dependsOn.filter((other) => other < name && canBeNeeded.some((one) => one === other));
        return [
          [
            name,
            {
              command: ['node', 'examples/hello.js'],
              environment: { VARIABLE: variable },
              drainTimeout,
              priority,
              autostart: !notStarted.includes(name),
              ...kind,
              ...own,
              dependsOn: isScheduled(kind) ? [] : needed,
            },
          ],
        ];
      });
      const members = (group: string): readonly string[] =>
        options
          .map(([name]) => name)
          .filter((name) => programs[names.indexOf(name as Name)]?.group === group);
      const groups = ['one', 'two'].flatMap((group) =>
        members(group).length === 0
          ? []
          : [[group, { programs: members(group), priority: groupPriority }] as const],
      );
      return {
        name: 'random',
        control: false,
        programs: Object.fromEntries(options),
        groups: Object.fromEntries(groups),
      };
    });

type Name = (typeof names)[number];

type Kind = Pick<ProgramOptions, 'listen' | 'probation' | 'type' | 'overlap' | 'schedule'>;

function isScheduled(kind: Kind | null | undefined): boolean {
  return kind?.schedule !== undefined;
}

/**
 * `autostart` becomes true for some of the programs (`mayBegin`), which are started then, or is the same in both plans: a program that runs keeps running when
 * its `autostart` becomes false.
 */
const plansOfTwo = (mayBegin: boolean): fc.Arbitrary<readonly [PlanOptions, PlanOptions]> =>
  fc
    .subarray([...names], { maxLength: 3 })
    .chain((notStarted) =>
      fc.tuple(fc.constant(notStarted), mayBegin ? fc.subarray(notStarted) : fc.constant(notStarted)),
    )
    .chain(([before, after]) => fc.tuple(plansWith(before), plansWith(after)));

interface Running {
  readonly master: OwnedMaster;
  readonly workers: readonly FakeWorker[];
  readonly events: readonly EventRecord[];
}

const masters: OwnedMaster[] = [];

afterEach(async () => {
  await Promise.all(masters.splice(0).map(async (master) => master.stop()));
});

async function running(plan: PlanOptions): Promise<Running> {
  const { platform, workers } = createFakePlatform();
  const master = createMaster(plan, { platform, environment: { PATH: process.env['PATH'] } });
  masters.push(master);
  const events: EventRecord[] = [];
  master.subscribe((event) => events.push(event));
  await master.start();
  return { master, workers, events };
}

/** Everything that can be seen of the programs, but for numbers that count starts. */
function seen({ master, workers }: Running): unknown {
  return master
    .programs()
    .map(
      ({
        program,
        group,
        state,
        isWanted,
        waitsFor,
        listeners,
        workersWanted,
        workers: own,
        lastReload,
      }) => ({
        program,
        group,
        state,
        isWanted,
        waitsFor,
        listeners: listeners.map(({ host, port }) => `${host}:${port}`),
        workersWanted,
        // One without a process remembers what it did before.
        lastReload: own.length === 0 ? undefined : lastReload?.ok,
        workers: own
          .filter((worker) => worker.isAccepting)
          .map(({ pid }) => workers.find((worker) => worker.pid === pid)?.request)
          .map((request) => ({
            variable: request?.environment['VARIABLE'],
            port: request?.environment['PORT'],
            listeners: request?.listeners.map(({ address }) =>
              address.type === 'unix' ? address.path : address.port,
            ),
          })),
      }),
    );
}

async function oldWorkersGone({ master }: Running): Promise<void> {
  while (master.programs().some(({ workers }) => workers.some((worker) => !worker.isAccepting)))
    await new Promise((resolve) => setImmediate(resolve));
}

const runs = { numRuns: 60, endOnFailure: true };

test('a plan that is changed to another runs as if it had been started with that one, and what has not changed is not touched', async () => {
  await fc.assert(
    fc.asyncProperty(plansOfTwo(true), async ([one, other]) => {
      const changed = await running(one);
      const pidsBefore = new Map(
        changed.master.programs().map(({ program, workers }) => [program, workers.map(({ pid }) => pid)]),
      );
      const eventsBefore = changed.events.length;
      const result = await changed.master.update(other);
      await oldWorkersGone(changed);
      expect(result.programs.filter(({ problem }) => problem !== null)).toEqual([]);
      const isTouched = (program: string): boolean => {
        const { added, removed, changed: changes } = result.difference;
        return [...added, ...removed, ...changes.map((change) => change.program)].includes(program);
      };
      for (const { program, workers } of changed.master.programs())
        if (!isTouched(program)) expect(workers.map(({ pid }) => pid)).toEqual(pidsBefore.get(program));
      const news = changed.events.slice(eventsBefore).filter(({ program }) => program !== 'random');
      expect(news.filter(({ program }) => !isTouched(program))).toEqual([]);
      expect(changed.events.filter(({ event }) => event === 'internalError')).toEqual([]);
      const afterChange = seen(changed);
      await changed.master.stop();

      const fresh = await running(other);
      const afterStart = seen(fresh);
      await fresh.master.stop();
      expect(afterChange).toEqual(afterStart);
    }),
    runs,
  );
}, 120_000);

test('a change that is taken back leaves nothing but new workers', async () => {
  await fc.assert(
    fc.asyncProperty(plansOfTwo(false), async ([one, other]) => {
      const changed = await running(one);
      const before = seen(changed);
      await changed.master.update(other);
      await changed.master.update(one);
      await oldWorkersGone(changed);
      expect(seen(changed)).toEqual(before);
      expect((await changed.master.update(one)).difference).toEqual({
        added: [],
        removed: [],
        changed: [],
        master: [],
      });
      await changed.master.stop();
    }),
    runs,
  );
}, 120_000);
