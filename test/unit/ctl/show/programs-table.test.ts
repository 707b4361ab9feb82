import { expect, test } from 'vitest';
import { widthOf } from '../../../../src/ctl/show/columns.ts';
import {
  renderPrograms,
  type TableGroup,
  type TableProgram,
} from '../../../../src/ctl/show/programs-table.ts';
import { plain } from '../../../../src/ctl/show/status-view.ts';
import type { Status } from '../../../../src/shared/control-api.ts';
import { crashed } from '../../../helpers/fake-master.ts';
import { masterStatus, programStatus } from '../../../helpers/example-programs.ts';

const release = { cwd: '/srv/releases/42', file: '/srv/releases/42/app.js', changed: true };

function program(name: string, facts: Partial<Status> = {}): TableProgram {
  return {
    status: programStatus(name, { release, ...facts }),
    label: name,
    usage: { memoryBytes: 45_000_000, cpuPercent: 3 },
  };
}

function group(name: string, ...programs: readonly TableProgram[]): TableGroup {
  const file = programs.length === 1 ? null : `/etc/${name}.toml`;
  return { name, answer: { master: masterStatus(name, file), programs, total: programs.length } };
}

function lines(columns: number | null, ...groups: readonly TableGroup[]): readonly string[] {
  const text = renderPrograms(groups, { nowMs: 61_000, columns, styles: plain });
  expect(text.endsWith('\n')).toBe(true);
  expect(text).not.toMatch(/ \n/);
  return text.slice(0, -1).split('\n');
}

function expectNothingWider(text: readonly string[], columns: number): void {
  expect(text.filter((line) => widthOf(line) > columns)).toEqual([]);
}

const problem = { lastCrash: { ...crashed, endedAt: 49_000 } };

test('at 80 columns, a program has its whole line', () => {
  expect(lines(80, group('shop', program('shop')))).toEqual([
    'program  state    gen  ready  up  release                  memory  cpu',
    'shop     serving    1  1/1    6s  /srv/releases/42/app.js   45 MB   3%',
  ]);
});

test('programs stand under their master only if it has several', () => {
  const text = lines(80, group('api', program('api')), group('platform', program('db'), program('shop')));
  expect(text.map((line) => line.slice(0, 40).trimEnd())).toEqual([
    'program  state    gen  ready  up  releas',
    'api      serving    1  1/1    6s  /srv/r',
    'platform: 2 programs, pid 77, /etc/platf',
    '  db     serving    1  1/1    6s  /srv/r',
    '  shop   serving    1  1/1    6s  /srv/r',
  ]);
});

test('forty programs are forty lines below their master', () => {
  const programs = Array.from({ length: 40 }, (_, index) => program(`worker-${index}`));
  const text = lines(80, group('platform', ...programs));
  expect(text.length).toBe(42);
  expectNothingWider(text, 80);
});

test('the last problem is a column where there is room, and a line below its program where there is none', () => {
  const groups = [group('api', program('api')), group('shop', program('shop', problem))];
  const wide = lines(160, ...groups);
  expect(wide.length).toBe(3);
  expect(wide[0]).toMatch(/ {2}last problem$/);
  expect(wide[2]).toMatch(/ {2}worker failed 12s ago: .*Error: boom$/);
  const narrow = lines(80, ...groups);
  expect(narrow.length).toBe(4);
  expect(narrow[3]).toMatch(
    /^ {2}worker failed 12s ago: the worker exited with code 3 before it was ready: Er.*…$/,
  );
  expectNothingWider(narrow, 80);
  expect(lines(null, ...groups)[2]).toMatch(/Error: boom$/);
});

test.each([
  [75, 'program state gen ready up release memory cpu'],
  [74, 'program state gen ready up release memory cpu'],
  [59, 'program state gen ready up memory cpu'],
  [47, 'program state gen ready up memory'],
  [40, 'program state gen ready up'],
  [35, 'program state ready up'],
  [30, 'program state ready'],
  [25, 'program state'],
])('at %d columns there is room for %s', (columns, heads) => {
  const text = lines(columns, group('customer-api', program('customer-api')));
  expect(text[0]?.split(/ +/).join(' ')).toBe(heads);
  expect(text[1]).toMatch(/^customer-api {2}serving/);
  expectNothingWider(text, columns);
});

test.each([120, 80, 60, 40, 30, 20])('nothing is wider than %d columns', (columns) => {
  const long = 'a-very-long-name-of-a-program-that-takes-all-of-the-sixty-four-c';
  const text = lines(
    columns,
    group('platform', program('日本語のプログラム', problem), program(long), program('e\u0301te\u0301')),
    group(
      long,
      program(long, { ...problem, release: { ...release, file: '/srv/リリース/四十二/アプリ.js' } }),
    ),
    { name: 'odd', answer: { problem: 'cannot reach the master odd: no answer within 5s' } },
    {
      name: 'empty',
      answer: {
        master: masterStatus('empty', '/etc/graceful/a/very/long/path.toml'),
        programs: [],
        total: 0,
      },
    },
  );
  expectNothingWider(text, columns);
});

test('a name is whole as long as another column can give way', () => {
  const long = 'a-very-long-name-of-a-program-that-takes-all-of-the-sixty-four-c';
  expect(lines(80, group(long, program(long)))[1]).toContain(long);
  expect(lines(60, group(long, program(long)))[1]).toMatch(/^a-very-long-.*…/);
});

test('wide characters do not shift the columns, and control characters are not printed', () => {
  const text = lines(80, group('platform', program('日本'), program('a\u001B[31mb\nc')));
  expect(text[2]).toMatch(/^ {2}日本 {3}serving/);
  expect(text[3]).toMatch(/^ {2}abc {4}serving/);
});

test('a master that does not answer, and one without programs, have their line', () => {
  const text = lines(
    null,
    group('api', program('api')),
    { name: 'odd', answer: { problem: 'cannot reach the master odd: no answer within 5s' } },
    {
      name: 'platform',
      answer: { master: masterStatus('platform', '/etc/graceful.toml'), programs: [], total: 0 },
    },
  );
  expect(text[2]).toMatch(/^odd +no answer .*cannot reach the master odd: no answer within 5s$/);
  expect(text[3]).toMatch(/^platform +no programs .*\/etc\/graceful.toml has none$/);
});

test('a program that has ended as expected has no workers that could be missing', () => {
  const of = (code: number, isExpected: boolean): ReturnType<typeof program> => {
    const exit = { code, signal: null, isExpected };
    return program('prepare', { type: 'oneshot', phase: 'exited', generation: null, workers: [], exit });
  };
  const rowOf = (one: ReturnType<typeof program>): string => lines(null, group('site', one)).join('\n');
  expect(rowOf(of(0, true))).toMatch(/^prepare +exited +- +- +-/m);
  expect(rowOf(of(3, false))).toMatch(/^prepare +exited +- +0\/1 +-/m);
});

test('one that waits for its next run has no worker that should be ready', () => {
  const waiting = program('backup', { phase: 'scheduled', generation: null, workers: [] });
  const text = renderPrograms([group('backup', waiting)], { nowMs: 0, columns: 80, styles: plain });
  expect(text).toMatch(/^backup +scheduled +- +- +-/m);
});

test('one that waits for its next run says when that comes', () => {
  const schedule = {
    expression: '@hourly',
    timezone: null,
    nextAt: 121_000,
    run: null,
    isPending: false,
    lastRun: null,
  };
  const waiting = program('backup', { phase: 'scheduled', generation: null, workers: [], schedule });
  const text = renderPrograms([group('backup', waiting)], { nowMs: 1_000, columns: 80, styles: plain });
  expect(text).toMatch(/^backup +scheduled +- +- +in 2m 0s +/m);
});

test.each([
  ['good', 'serving', {}],
  ['warn', 'serving', { workersWanted: 2 }],
  ['warn', 'probation', { probation: { previous: 1, remainingMs: 5 } }],
  ['warn', 'reloading', { phase: 'reloading' }],
  ['warn', 'starting', { phase: 'starting', generation: null, workers: [] }],
  ['warn', 'waiting', { phase: 'idle', generation: null, workers: [], waitsFor: ['db'] }],
  ['bad', 'restarting', { phase: 'restarting', workers: [] }],
  ['bad', 'failed', { phase: 'failed', generation: null, workers: [] }],
  ['dim', 'stopped', { phase: 'stopped', generation: null, workers: [], isWanted: false }],
] as const)('the colour %s stands for %s', (meaning, state, facts) => {
  const styles = { ...plain, [meaning]: (text: string) => `<${text}>` };
  const text = renderPrograms([group('shop', program('shop', facts))], { nowMs: 0, columns: 80, styles });
  expect(text).toContain(`<${state}>`);
});
