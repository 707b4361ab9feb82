import { expect, test } from 'vitest';
import { plain } from '../../../../src/ctl/show/status-view.ts';
import { renderTop, type TopProgram } from '../../../../src/ctl/show/top-view.ts';
import { exampleAnswers } from '../../../helpers/example-answers.ts';

const { Status: status } = exampleAnswers;
const usage = { memoryBytes: 91_000_000, cpuPercent: 37 };
const shop: TopProgram = {
  label: 'shop',
  status,
  usage,
  rates: { requests: 1_234.4, errors: 0.25 },
  workerUsage: new Map([[4_250, usage]]),
  workerRates: new Map([[4_250, { requests: 1_234.4, errors: 0 }]]),
};

function render(
  columns: number | null,
  rows: number | null = null,
  programs: readonly TopProgram[] = [shop],
  problems: readonly string[] = [],
): readonly string[] {
  return renderTop(programs, { columns, rows, styles: plain, title: '1 program, 2 workers', problems })
    .trimEnd()
    .split('\n');
}

test('a line for the program, one for each worker, and what a draining worker still has', () => {
  expect(render(null)).toEqual([
    '1 program, 2 workers',
    'program  state      gen  ready   req/s  5xx/s  conns    lag  cpu  memory',
    'shop     probation    3  1/2      1234    0.3     53  3.1ms  37%   91 MB',
    '  4249   draining     2  1m 30s      -      -      3      -    -       -',
    '    1 request in flight, 3 connections open; next signal in 28s',
    '  4250   ready        3  0s       1234      0     50  3.1ms  37%   91 MB',
  ]);
});

test.each([72, 60, 50, 40, 30, 20, 12])('no line is wider than %i columns', (columns) => {
  for (const line of render(columns)) expect(line.length).toBeLessThanOrEqual(columns);
});

test('without room for all workers, only those that drain are shown; without room for the programs, it says so', () => {
  const programs = Array.from({ length: 4 }, (_, index) => ({ ...shop, label: `shop-${index}` }));
  const few = render(null, 16, programs);
  expect(few.filter((line) => line.includes('4250'))).toEqual([]);
  expect(few.filter((line) => line.includes('4249')).length).toBe(4);
  expect(render(null, 8, programs).at(-1)).toBe('… 7 more lines');
  expect(render(null, 8, programs).length).toBe(8);
});

test('problems stand below the table, and take at most a third of the screen', () => {
  const problems = ['cannot find a program: none is called nosuch', 'cannot reach the master odd'];
  expect(render(null, 24, [shop], problems).slice(-3)).toEqual([
    '  4250   ready        3  0s       1234      0     50  3.1ms  37%   91 MB',
    ...problems,
  ]);
  expect(render(20, 24, [shop], problems).at(-2)).toBe('cannot find a progr…');
  const many = Array.from({ length: 12 }, () => problems).flat();
  for (const rows of [24, 12, 6, 3, 2]) {
    const lines = render(null, rows, [shop], many);
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(lines.at(-1)).toMatch(/^… \d+ more lines$/);
  }
  expect(render(null, 12, [shop], many).slice(0, 2)).toEqual(render(null).slice(0, 2));
});
