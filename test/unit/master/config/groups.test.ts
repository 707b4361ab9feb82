// Groups in config files and in code: what they come to, and what is wrong with them, with its place.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { comparePlans } from '../../../../src/master/config/difference.ts';
import { readConfig } from '../../../../src/master/config/files/read-config.ts';
import { compileOptions, type PlanOptions } from '../../../../src/master/config/options.ts';
import type { Plan } from '../../../../src/master/config/plan.ts';
import { rankOf } from '../../../../src/master/programs/start-order.ts';

type Compiled = Awaited<ReturnType<typeof readConfig>>;

async function read(files: Readonly<Record<string, string>>): Promise<Compiled> {
  const folder = mkdtempSync(join(tmpdir(), 'gr-groups-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return readConfig(join(folder, 'a.toml'), {});
}

async function planOf(text: string): Promise<Plan> {
  const compiled = await read({ 'a.toml': text });
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems, null, 2));
  return compiled.plan;
}

/** `FILE:LINE:COLUMN KEY: MESSAGE (HINT)` */
async function problems(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const compiled = await read(files);
  if ('plan' in compiled) return [];
  return compiled.problems.map(
    ({ file, line, column, key, message, hint }) =>
      `${file?.replace(/.*\//, '') ?? ''}:${String(line)}:${String(column)} ${String(key)}: ${message.replaceAll(/\/\S*\/(?=\w+\.toml)/g, '')} (${String(hint)})`,
  );
}

const programs = ['web', 'queue', 'other']
  .map((name) => `[program.${name}]\ntype = "worker"\ncommand = ["x"]\n`)
  .join('');

test('each program has its group, and its place among all', async () => {
  const { programs: plans } = await planOf(
    `${programs}priority = 7\n[group.site]\nprograms = ["web", "queue"]\npriority = "3"\n[group.rest]\nprograms = ["other"]\n`,
  );
  expect(plans.map(({ name, group }) => [name, group])).toEqual([
    ['web', { name: 'site', priority: 3 }],
    ['queue', { name: 'site', priority: 3 }],
    ['other', { name: 'rest', priority: null }],
  ]);
  expect(plans.map(rankOf)).toEqual([3_999, 3_999, 7_007]);
});

test.each([
  [
    '[group.site]\nprograms = ["web", "qeue"]\n',
    ['a.toml:11:20 group.site.programs[1]: there is no program "qeue" (did you mean queue?)'],
  ],
  [
    '[group.site]\nprograms = ["web"]\n[group.two]\nprograms = ["queue", "web"]\n',
    ['a.toml:13:22 group.two.programs[1]: web is in the group site (a program is in one group at most)'],
  ],
  [
    '[group.site]\nprograms = ["web", "web"]\n',
    ['a.toml:11:20 group.site.programs[1]: web is named twice (a program is in one group at most)'],
  ],
  [
    '[group.web]\nprograms = ["queue"]\n',
    [
      'a.toml:10:8 group.web: there is a program web, which is not in this group (give the group another name, or add the program to it)',
    ],
  ],
  ['[group.web]\nprograms = ["web", "queue"]\n', []],
  [
    '[group.site]\npriority = 1\n',
    ['a.toml:10:8 group.site: needs programs (name them: programs = ["web", "queue"])'],
  ],
  [
    '[group.site]\nprograms = "web,queue"\n',
    [
      'a.toml:11:12 group.site.programs: must be a list of names of programs, such as ["web", "queue"], not "web,queue" (null)',
    ],
  ],
  [
    '[group.site]\nprograms = ["web"]\nprogram = ["web"]\n',
    ['a.toml:12:1 group.site.program: there is no such key (did you mean programs?)'],
  ],
  [
    '[groups.site]\nprograms = ["web"]\n',
    ['a.toml:10:2 groups: there is no such key (it is called group here)'],
  ],
])('%j is refused with its place', async (text, expected) => {
  expect(await problems({ 'a.toml': programs + text })).toEqual(expected);
});

test('a group can be in an included file, but only once', async () => {
  const site = '[group.site]\nprograms = ["web"]\n';
  expect(await problems({ 'a.toml': `include = ["b.toml"]\n${programs}`, 'b.toml': site })).toEqual([]);
  expect(
    await problems({
      'a.toml': `include = ["b.toml"]\n${programs}${site}`,
      'b.toml': site.replace('web', 'queue'),
    }),
  ).toEqual([
    'b.toml:1:8 group.site: there is a group site in a.toml:11 already (give one of them another name)',
  ]);
});

const inCode: PlanOptions = {
  name: 'm',
  programs: { web: { command: ['x'], type: 'worker' }, queue: { command: ['x'], type: 'worker' } },
};

test('code gives the same groups, and is refused with the same reasons', () => {
  const { programs: plans } = compileOptions(
    { ...inCode, groups: { site: { programs: ['web'], priority: 2 } } },
    '/',
  );
  expect(plans.map(({ group }) => group)).toEqual([{ name: 'site', priority: 2 }, null]);
  expect(() => compileOptions({ ...inCode, groups: { site: { programs: ['wbe'] } } }, '/')).toThrow(
    expect.objectContaining({
      code: 'planInvalid',
      hint: 'did you mean web?',
      problems: [expect.objectContaining({ key: 'groups["site"].programs[0]' })],
    }),
  );
});

test('a program that changes its group is reloaded, and another order needs nothing', () => {
  const of = (groups: PlanOptions['groups']): Plan =>
    compileOptions({ ...inCode, groups: groups ?? {} }, '/');
  const changes = (before: PlanOptions['groups'], after: PlanOptions['groups']): unknown =>
    comparePlans(of(before), of(after)).changed;
  expect(changes({}, { site: { programs: ['web'] } })).toEqual([
    { program: 'web', keys: ['group'], needs: 'reload', later: [], runsAgain: false },
  ]);
  expect(changes({ site: { programs: ['web'] } }, { site: { programs: ['web'], priority: 1 } })).toEqual([
    { program: 'web', keys: ['group.priority'], needs: 'nothing', later: [], runsAgain: false },
  ]);
  expect(changes({ site: { programs: ['web'] } }, { site: { programs: ['web'] } })).toEqual([]);
});

test('numprocs is workers', async () => {
  const text = (more: string, defaults = ''): string =>
    `${defaults}[program.web]\ntype = "worker"\ncommand = ["x"]\n${more}`;
  expect((await planOf(text('numprocs = 4\n'))).programs[0]?.workers).toBe(4);
  expect((await planOf(text('numprocs = 4\n', '[defaults]\nworkers = 2\n'))).programs[0]?.workers).toBe(4);
  expect((await planOf(text('workers = 4\n', '[defaults]\nnumprocs = 2\n'))).programs[0]?.workers).toBe(4);
  expect(await problems({ 'a.toml': text('numprocs = 4\nworkers = 4\n') })).toEqual([
    'a.toml:4:1 program.web.numprocs: is another name of workers, which is given as well (remove one of them)',
  ]);
  expect(await problems({ 'a.toml': text('numprocs = 0\n') })).toEqual([
    'a.toml:4:12 program.web.numprocs: must be a whole number from 1 to 1024, or auto, not 0 (null)',
  ]);
});
