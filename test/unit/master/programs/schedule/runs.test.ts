// Scheduled programs under a whole master, on a clock that the test moves, with workers that are no processes.
import { expect, test } from 'vitest';
import type { PlanOptions, ProgramOptions } from '../../../../../src/master/config/options.ts';
import { createMaster, type OwnedMaster } from '../../../../../src/master/master.ts';
import type { ProcessListeners } from '../../../../../src/master/process/platform.ts';
import type { EventRecord } from '../../../../../src/shared/events.ts';
import { createFakeClock, type FakeClock } from '../../../../helpers/fake-clock.ts';
import { createFakePlatform } from '../../../../helpers/fake-platform.ts';
import { eventually } from '../../../../helpers/eventually.ts';

interface Setup {
  readonly clock: FakeClock;
  readonly master: OwnedMaster;
  readonly events: readonly EventRecord[];
  /** The events of this name, after as many have been published. */
  readonly after: (event: string, count: number) => Promise<readonly EventRecord[]>;
  /** The process that was started last ends. */
  readonly exit: (code: number) => void;
}

async function setUp(job: Partial<ProgramOptions>, more: PlanOptions['programs'] = {}): Promise<Setup> {
  const clock = createFakeClock('2026-06-01T00:00:30Z');
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
      environment: { PATH: process.env['PATH'] },
    },
  );
  master.subscribe((event) => events.push(event));
  await master.start();
  await eventually('it is scheduled', () => clock.armed() === 1);
  const all = (event: string): readonly EventRecord[] => events.filter((one) => one.event === event);
  return {
    clock,
    master,
    events,
    async after(event, count) {
      await eventually(`${count} ${event}`, () => all(event).length >= count);
      return all(event);
    },
    exit(code) {
      exits.at(-1)?.({ code, signal: null });
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
