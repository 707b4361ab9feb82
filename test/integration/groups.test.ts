// Groups of programs: commands for all of them, their name in the environment and the status, and updates that touch only what they must.
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { of, startHost, type Host } from '../helpers/run-host.ts';

/** Writes its name and its group into the file `log`, and `NAME ends` when it is stopped. */
function job(name: string, more = ''): string {
  const script = `echo "${name} in $SUPERVISOR_GROUP_NAME" >> log; trap 'echo "${name} ends" >> log; exit 0' TERM; while :; do sleep 0.05; done`;
  return `[program.${name}]
type = "worker"
command = ["sh", "-c", '''${script}''']
startsecs = "50ms"
${more}
`;
}

const jobs = job('web') + job('queue') + job('other');
const site = '[group.site]\nprograms = ["web", "queue"]\n';

async function ready({ master }: Host, ...programs: readonly string[]): Promise<void> {
  for (const program of programs) await master.waitFor('generationReady', of(program));
}

interface Shown {
  readonly program: string;
  readonly group: string | null;
  readonly state: string;
  readonly generation: number | null;
}

async function shown(
  { ctl }: Host,
  ...args: readonly string[]
): Promise<readonly (readonly [string, string | null, string, number | null])[]> {
  const { out } = await ctl('status', '--json', ...args);
  return out
    .trim()
    .split('\n')
    .map((line) => {
      const { program, group, state, generation } = JSON.parse(line) as Shown;
      return [program, group, state, generation];
    });
}

test('a command for NAME:* is one for every program of the group, and for no other', async () => {
  const setup = startHost(site + jobs);
  const { ctl, log } = setup;
  await ready(setup, 'web', 'queue', 'other');
  await eventually('all have begun', () => log().length === 3);
  expect([...log()].sort()).toEqual(['other in other', 'queue in site', 'web in site']);
  expect(await ctl('stop', '--wait', 'site:*')).toMatchObject({ code: 0 });
  expect(await shown(setup)).toEqual([
    ['web', 'site', 'STOPPED', null],
    ['queue', 'site', 'STOPPED', null],
    ['other', null, 'RUNNING', 1],
  ]);
  expect(await ctl('start', '--wait', 'site:*')).toMatchObject({ code: 0 });
  expect(await ctl('reload', '--wait', 's*:*')).toMatchObject({ code: 0 });
  expect(await ctl('restart', '--wait', 'host:site:w*')).toMatchObject({ code: 0 });
  expect(await shown(setup, 'site:*')).toEqual([
    ['web', 'site', 'RUNNING', 4],
    ['queue', 'site', 'RUNNING', 3],
  ]);
  // A program without a group is one by itself.
  expect(await shown(setup, 'other:*')).toEqual([['other', null, 'RUNNING', 1]]);
  const table = (await ctl('list')).out;
  expect(table).toMatch(/^program +group +state/m);
  expect(table).toMatch(/^ {2}web +site +serving/m);
  expect((await ctl('status', 'web')).out).toMatch(/^group +site$/m);
  expect((await ctl('__complete', 'restart', 'si')).out).toContain('site:*\tall programs of the group\n');
  const unknown = await ctl('stop', 'site');
  expect(unknown).toMatchObject({ code: 3 });
  expect(unknown.err).toContain('site is a group');
  expect(unknown.err).toContain("gracefulctl stop 'site:*'");
});

test('an update reloads what has changed its group, and touches no other program', async () => {
  const setup = startHost(site + jobs);
  const { ctl, write, log } = setup;
  await ready(setup, 'web', 'queue', 'other');
  write(`[group.site]\nprograms = ["web", "other"]\npriority = 5\n${jobs}`);
  const planned = await ctl('update', '--dry-run');
  expect(planned.out).toContain('group');
  expect(await ctl('update')).toMatchObject({ code: 0 });
  expect(await shown(setup)).toEqual([
    ['web', 'site', 'RUNNING', 1],
    ['queue', null, 'RUNNING', 2],
    ['other', 'site', 'RUNNING', 2],
  ]);
  await eventually('both have begun anew', () => log().filter((line) => / in /.test(line)).length === 5);
  expect([...log()].filter((line) => / in /.test(line)).sort()).toEqual([
    'other in other',
    'other in site',
    'queue in queue',
    'queue in site',
    'web in site',
  ]);
});

test('the programs of a group with a priority start and stop together, in their own order', async () => {
  const { master, log, ctl } = startHost(
    `[group.late]\nprograms = ["b", "a"]\npriority = 500\n${job('a', 'priority = 2')}${job('b', 'priority = 1')}${job('c', 'priority = 400')}${job('d', 'priority = 600')}`,
  );
  for (const program of ['a', 'b', 'c', 'd']) await master.waitFor('generationReady', of(program));
  await eventually('all have begun', () => log().length === 4);
  expect(await ctl('shutdown', '--wait')).toMatchObject({ code: 0 });
  expect(log().slice(4)).toEqual(['d ends', 'a ends', 'b ends', 'c ends']);
});
