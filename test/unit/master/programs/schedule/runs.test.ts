// Scheduled programs under a whole master, on a clock that the test moves, with workers that are no processes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MasterRecord } from '../../../../../src/master/handover/record.ts';
import type { PlanOptions, ProgramOptions } from '../../../../../src/master/config/options.ts';
import { createMaster, type OwnedMaster } from '../../../../../src/master/master.ts';
import type { ProcessListeners } from '../../../../../src/master/process/platform.ts';
import type { EventRecord } from '../../../../../src/shared/events.ts';
import { createFakeClock, type FakeClock } from '../../../../helpers/fake-clock.ts';
import { createFakePlatform } from '../../../../helpers/fake-platform.ts';
import { eventually } from '../../../../helpers/eventually.ts';
import { temporaryFolder } from '../../../../helpers/run-master.ts';

interface Setup {
  readonly clock: FakeClock;
  /** The file that is kept over the end of the master. */
  readonly seenFile: string;
  readonly master: OwnedMaster;
  readonly events: readonly EventRecord[];
  /** The events of this name, after as many have been published. */
  readonly after: (event: string, count: number) => Promise<readonly EventRecord[]>;
  /** The process that was started last ends, if there is one. */
  readonly exit: (code: number) => void;
}

/** `seen`: when an earlier master has looked for runs of `job`. */
async function setUp(
  job: Partial<ProgramOptions>,
  {
    more = {},
    seen = null,
    resumed = null,
    from = '2026-06-01T00:00:30Z',
  }: {
    readonly more?: PlanOptions['programs'];
    readonly seen?: number | null;
    /** What an earlier image of the master has handed over. */
    readonly resumed?: MasterRecord | null;
    readonly from?: string;
  } = {},
): Promise<Setup> {
  const state = temporaryFolder();
  const seenFile = join(state, 'graceful-run', 'runs.runs.json');
  if (seen !== null) {
    mkdirSync(join(state, 'graceful-run'));
    writeFileSync(seenFile, JSON.stringify({ version: 1, seen: { job: seen } }));
  }
  const clock = createFakeClock(from);
  const { platform } = createFakePlatform();
  const exits: ProcessListeners['exit'][] = [];
  const events: EventRecord[] = [];
  const master = createMaster(
    {
      name: 'runs',
      control: false,
      programs: {
        job: { type: 'oneshot', command: ['sh', '-c', ':'], schedule: '* * * * *', ...job },
        ...more,
      },
    },
    {
      platform: {
        ...platform,
        armWall: clock.platform.armWall,
        clock: { wallMs: () => clock.wall(), monotonicMs: () => platform.clock.monotonicMs() },
        spawn(request, listeners) {
          exits.push((end) => {
            listeners.exit(end);
          });
          return platform.spawn(request, listeners);
        },
      },
      environment: { PATH: process.env['PATH'], XDG_STATE_HOME: state },
      resumed,
    },
  );
  master.subscribe((event) => events.push(event));
  await master.start();
  await eventually('it is scheduled', () => clock.armed() === 1);
  const all = (event: string): readonly EventRecord[] => events.filter((one) => one.event === event);
  return {
    clock,
    seenFile,
    master,
    events,
    async after(event, count) {
      await eventually(`${count} ${event}`, () => all(event).length >= count);
      return all(event);
    },
    exit(code) {
      exits.pop()?.({ code, signal: null });
    },
  };
}

test('runs that wait for the end of the one before are runs like any other', async () => {
  const { clock, master, after, exit } = await setUp({ ifRunning: 'wait' });
  clock.until('2026-06-01T00:01Z');
  for (let run = 1; run <= 4; run += 1) {
    await after('workerReady', run);
    // The next one is due while this one is under way.
    clock.until(`2026-06-01T00:0${run + 1}Z`);
    exit(run % 2);
    const ends = await after('runEnded', run);
    expect(ends.at(-1)).toMatchObject({ result: run % 2 === 0 ? 'succeeded' : 'failed' });
  }
  const begun = await after('runStarted', 5);
  expect(begun).toMatchObject(begun.map(() => ({ cause: 'schedule' })));
  await after('workerReady', 5);
  exit(0);
  await after('runEnded', 5);
  await master.stop();
});

test('a run that is told to end before it has a process ends all the same', async () => {
  const { clock, master, after, events, exit } = await setUp({ ifRunning: 'kill' });
  clock.until('2026-06-01T00:02Z');
  const hasEnded = (): boolean => events.some(({ event }) => event === 'runEnded');
  // It may have got a process meanwhile, or get none any more.
  await eventually('it has ended', () => {
    if (!hasEnded()) exit(0);
    return hasEnded();
  });
  const [first] = await after('runEnded', 1);
  expect(first).toMatchObject({ result: 'replaced' });
  await after('runStarted', 2);
  await eventually('the next one is ready', () => {
    const begun = events.findLastIndex(({ event }) => event === 'runStarted');
    return events.slice(begun).some(({ event }) => event === 'workerReady');
  });
  exit(0);
  const [, second] = await after('runEnded', 2);
  expect(second).toMatchObject({ result: 'succeeded' });
  expect(events.filter(({ event }) => event === 'runSkipped')).toEqual([]);
  await master.stop();
});

test('a run that was missed waits for what is started with the master and has to serve', async () => {
  const db: ProgramOptions = { type: 'worker', command: ['sh', '-c', ':'], ready: 'delay:100ms' };
  const { master, after, events, exit } = await setUp(
    { schedule: '0 3 * * *', ifMissed: 'run', dependsOn: ['db'] },
    { more: { db }, seen: Date.parse('2026-05-28T12:00:00Z') },
  );
  expect(await after('runsMissed', 1)).toMatchObject([{ count: 3, isMadeUp: true }]);
  expect(await after('runStarted', 1)).toMatchObject([{ cause: 'missed' }]);
  await after('workerReady', 2);
  exit(0);
  expect(await after('runEnded', 1)).toMatchObject([{ result: 'succeeded' }]);
  expect(events.filter(({ event }) => event === 'runSkipped')).toEqual([]);
  await master.stop();
});

test('when what it depends on does not come to serve, a run that was missed is skipped, and the next one is due', async () => {
  const db: ProgramOptions = {
    type: 'worker',
    command: ['sh', '-c', ':'],
    environment: { FAILS: '1' },
    startretries: 0,
  };
  const { master, after, events } = await setUp(
    { schedule: '0 3 * * *', ifMissed: 'run', dependsOn: ['db'] },
    { more: { db }, seen: Date.parse('2026-05-28T12:00:00Z') },
  );
  expect(await after('runSkipped', 1)).toMatchObject([{ reason: 'dependency', programs: ['db'] }]);
  expect(events.findIndex(({ event }) => event === 'generationFailed')).toBeLessThan(
    events.findIndex(({ event }) => event === 'runSkipped'),
  );
  await master.stop();
});

test('a time that no clock shows is no time at which runs were looked for', async () => {
  for (const seen of [-1e300, -1, 1e300]) {
    const { master, events } = await setUp({ schedule: '0 3 * * *', ifMissed: 'run' }, { seen });
    expect(events.filter(({ event }) => event === 'runsMissed')).toEqual([]);
    await master.stop();
  }
});

test('a master ends only when it has written up to when it has looked for runs', async () => {
  const { clock, master, seenFile, after, exit } = await setUp({ ifMissed: 'run' });
  clock.until('2026-06-01T00:01Z');
  await after('workerReady', 1);
  exit(0);
  await after('runEnded', 1);
  clock.until('2026-06-01T00:02Z');
  await master.stop();
  expect(JSON.parse(readFileSync(seenFile, 'utf8'))).toMatchObject({
    seen: { job: Date.parse('2026-06-01T00:02Z') },
  });
});

test('a run that becomes due while the master is upgraded begins right after it, once', async () => {
  const first = await setUp({});
  // Through JSON, as the next image gets it.
  const record = JSON.parse(JSON.stringify(first.master.record())) as MasterRecord;
  await first.master.stop();
  const { master, after, events, exit, clock } = await setUp(
    {},
    { resumed: record, from: '2026-06-01T00:01:01Z' },
  );
  await after('workerReady', 1);
  exit(0);
  await after('runEnded', 1);
  expect(events.filter(({ event }) => event === 'runStarted')).toHaveLength(1);
  clock.until('2026-06-01T00:02Z');
  await after('workerReady', 2);
  exit(0);
  await after('runEnded', 2);
  await master.stop();
});
