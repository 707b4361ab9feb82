// Schedules in config files and in code: what they come to, what is wrong with them, and what a change of them needs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { comparePlans } from '../../../../../src/master/config/difference.ts';
import { readConfig } from '../../../../../src/master/config/files/read-config.ts';
import { compileOptions, type ProgramOptions } from '../../../../../src/master/config/options.ts';
import type { Plan } from '../../../../../src/master/config/plan.ts';

async function read(text: string): Promise<Awaited<ReturnType<typeof readConfig>>> {
  const folder = mkdtempSync(join(tmpdir(), 'gr-schedule-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'a.toml');
  writeFileSync(file, text);
  return readConfig(file, {});
}

/** `LINE KEY: MESSAGE (HINT)` */
async function problems(text: string): Promise<readonly string[]> {
  const compiled = await read(text);
  if ('plan' in compiled) return [];
  return compiled.problems.map(
    ({ line, key, message, hint }) => `${String(line)} ${String(key)}: ${message} (${String(hint)})`,
  );
}

const job = '[program.job]\ntype = "oneshot"\ncommand = ["x"]\n';

test('a schedule, with everything that it can have', async () => {
  const compiled = await read(
    `[defaults]\ntimezone = "UTC"\nrun_timeout = "5m"\n${job}schedule = " 0 3 * * * "\nif_running = "kill"\nif_missed = "run"\n[program.web]\ntype = "worker"\ncommand = ["x"]\n`,
  );
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  expect(compiled.plan.programs.map(({ schedule }) => schedule)).toEqual([
    { expression: '0 3 * * *', timezone: 'UTC', ifRunning: 'kill', ifMissed: 'run', runTimeoutMs: 300_000 },
    // Those of [defaults] are for the programs that can have them.
    null,
  ]);
});

test.each([
  [
    'schedule = "0 25 * * *"\n',
    [
      '4 program.job.schedule: must be a cron expression (hour: 25 is not from 0 to 23), not "0 25 * * *" (null)',
    ],
  ],
  [
    'schedule = 5\n',
    ['4 program.job.schedule: must be a cron expression, such as "*/5 * * * *", or @daily, not 5 (null)'],
  ],
  [
    'schedule = "@daily"\ntimezone = "Europe/Berlim"\n',
    ['5 program.job.timezone: must be a time zone (did you mean Europe/Berlin?), not "Europe/Berlim" (null)'],
  ],
  [
    'schedule = "@daily"\ntimezone = "Middle Earth"\n',
    ['5 program.job.timezone: must be a time zone, such as Europe/Berlin or UTC, not "Middle Earth" (null)'],
  ],
  [
    'if_running = "wait"\n',
    [
      '4 program.job.if_running: has no effect on a program without a schedule (leave it out, or add a schedule, such as "0 3 * * *")',
    ],
  ],
  [
    'schedule = "@daily"\nif_missed = "twice"\n',
    ['5 program.job.if_missed: must be skip or run, not "twice" (null)'],
  ],
])('%j is refused with its place', async (text, expected) => {
  expect(await problems(job + text)).toEqual(expected);
});

test('only a oneshot runs by the clock, it watches nothing, and nothing waits for it', async () => {
  const [worker] = await problems('[program.job]\ntype = "worker"\ncommand = ["x"]\nschedule = "@daily"\n');
  expect(worker).toContain(
    '4 program.job.schedule: does not fit: only a oneshot runs by a schedule (add the type oneshot, or leave it out)',
  );
  const [watch] = await problems(`${job}schedule = "@daily"\nwatch = true\n`);
  expect(watch).toContain(
    'program.job.watch: does not fit: each scheduled run uses the current files anyway',
  );
  expect(
    await problems(
      `${job}schedule = "@daily"\n[program.web]\ntype = "worker"\ncommand = ["x"]\ndepends_on = ["job"]\n`,
    ),
  ).toEqual([
    '8 program.web.depends_on[0]: job runs by a schedule, so that nothing can wait for it (leave it out)',
  ]);
  expect(await problems('[defaults]\nschedule = "@daily"\n' + job)).toEqual([
    '2 defaults.schedule: every program has its own (put it into [program.NAME])',
  ]);
});

function planOf(options: Partial<ProgramOptions>): Plan {
  return compileOptions({ programs: { job: { command: ['x'], type: 'oneshot', ...options } } }, '/');
}

test.each([
  [{ schedule: '@daily' }, { schedule: '@hourly', ifRunning: 'wait' }, ['schedule', 'if_running'], 'nothing'],
  // The next run has it.
  [{ schedule: '@daily' }, { schedule: '@daily', command: ['y'] }, ['command'], 'nothing'],
  [
    { schedule: '@daily', overlap: false },
    { schedule: '@daily', overlap: false, cwd: '/x' },
    ['directory'],
    'nothing',
  ],
  [{}, { schedule: '@daily', timezone: 'UTC' }, ['schedule', 'timezone'], 'nothing'],
  [{ type: 'worker' }, { schedule: '@daily' }, ['type', 'schedule'], 'restart'],
] as const)('%j → %j needs %j: %s', (before, after, keys, needs) => {
  const [change] = comparePlans(planOf(before), planOf(after)).changed;
  expect([[...(change?.keys ?? [])].sort(), change?.needs]).toEqual([[...keys].sort(), needs]);
});
