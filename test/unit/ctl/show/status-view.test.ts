import { expect, test } from 'vitest';
import {
  formatAge,
  formatBytes,
  plain,
  renderStatus,
  type Rates,
} from '../../../../src/ctl/show/status-view.ts';
import { crashed, failed, served } from '../../../helpers/fake-master.ts';
import { masterStatus, programStatus } from '../../../helpers/example-programs.ts';

const status = programStatus('web');

test('the table names the program, the master, the listener and each worker', () => {
  const text = renderStatus(status, 0, plain);
  for (const part of ['web', 'serving', '77', '127.0.0.1:10086', '4242', 'ready', '1m 1s'])
    expect(text).toContain(part);
  expect(text.endsWith('\n')).toBe(true);
  expect(text).not.toMatch(/ \n/);
});

test('a last reload that failed comes with its reason and the last words', () => {
  const text = renderStatus({ ...status, lastReload: { ...failed, endedAt: 1_000 } }, 6_000, plain);
  for (const part of ['5s ago', 'before it was ready', 'code 3', 'Error: boom']) expect(text).toContain(part);
  expect(renderStatus({ ...status, lastReload: served }, 6_000, plain)).not.toContain('boom');
});

test('the last crash comes with its worker, how it ended and its last words', () => {
  const text = renderStatus({ ...status, lastCrash: { ...crashed, endedAt: 1_000 } }, 13_000, plain);
  for (const part of [
    '4241',
    '12s ago',
    'code 3',
    'code 3 before it was ready: Error: boom',
    '    at app.js:1',
  ])
    expect(text.split(part).length).toBe(2);
  const { failure } = crashed;
  const unstarted = { ...crashed, pid: null, failure: { ...failure, outcome: null, message: 'cannot run' } };
  expect(renderStatus({ ...status, lastCrash: unstarted }, 13_000, plain)).toContain('cannot run');
});

test('a crash that made the last reload fail shows its output once', () => {
  const { failure } = crashed;
  const text = renderStatus(
    { ...status, lastReload: { ...failed, failure }, lastCrash: { ...crashed, failure: { ...failure } } },
    13_000,
    plain,
  );
  expect(text).toContain('crash (12s ago): worker 4241');
  expect(text.split('    at app.js:1').length).toBe(2);
});

test('a program that does not serve says so', () => {
  const text = renderStatus({ ...status, phase: 'starting', generation: null, workers: [] }, 0, plain);
  expect(text).toContain('starting');
  expect(text).not.toContain('4242');
});

test('old workers that still serve, because their master was killed, are told with the time that they have', () => {
  const of = (pids: readonly number[]): string =>
    renderStatus({ ...status, phase: 'failed', orphans: { pids, remainingMs: 47_001 } }, 0, plain);
  expect(of([4_242])).toMatch(/^served by +worker 4242, left by a killed master, for 48s at most$/m);
  expect(of([4_242, 4_243])).toContain('workers 4242, 4243, left');
  expect(renderStatus(status, 0, plain)).not.toContain('served by');
});

test('colours come from the styles alone', () => {
  const text = renderStatus(status, 0, { ...plain, good: (part) => `<${part}>` });
  expect(text).toContain('<serving>');
  // Colours do not take room in the table.
  expect(text).toMatch(/^ {2}4242 {2}1 {11}0 {5}<ready> {2}5s/m);
});

test.each([
  [-5, '0s'],
  [5_999, '5s'],
  [182_000, '3m 2s'],
  [11_520_000, '3h 12m'],
  [356_400_000, '4d 3h'],
])('%d ms is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text);
});

test('during a probation the previous generation is shown as paused, and is not counted as ready', () => {
  const [worker] = status.workers;
  const previous = { ...worker, generation: 1, isAccepting: false } as NonNullable<typeof worker>;
  const current = { ...worker, generation: 2, pid: 4_243 } as NonNullable<typeof worker>;
  const text = renderStatus({ ...status, generation: 2, workers: [previous, current] }, 0, plain);
  expect(text).toContain('1 ready, 1 paused, 1 wanted');
  expect(text).toMatch(/^ {2}4242 .* paused /m);
  expect(text).toMatch(/^ {2}4243 .* ready /m);
  // A new worker that is not yet admitted is not paused.
  const candidate = { ...previous, generation: 3 };
  expect(renderStatus({ ...status, generation: 2, workers: [current, candidate] }, 0, plain)).not.toContain(
    'paused',
  );
});

test('a generation after the first may have come from a later start as well as from a reload', () => {
  const text = renderStatus({ ...status, lastReload: { ...served, generation: 2 } }, 4_000, plain);
  expect(text).toMatch(/^last start or reload \(completed 3s ago\): generation 2 ready /m);
});

test('a start that could not begin is no reload, and has no generation', () => {
  const refused = { ...failed, generation: 0, release: null, endedAt: 1_000 };
  const text = renderStatus({ ...status, lastReload: refused }, 6_000, plain);
  expect(text).toMatch(/^start \(5s ago\): failed: /m);
  expect(text).not.toContain('generation 0');
});

test('a worker that is hung is counted as such, and not as ready', () => {
  const [worker] = status.workers;
  const hung = { ...worker, isHung: true, isAccepting: false } as NonNullable<typeof worker>;
  const other = { ...worker, pid: 4_243 } as NonNullable<typeof worker>;
  expect(renderStatus({ ...status, workers: [hung, other], workersWanted: 2 }, 0, plain)).toContain(
    '1 ready, 1 hung, 2 wanted',
  );
});

test('what is left of a probation, and until the next step of a reload, is in whole seconds', () => {
  const rollout = { generation: 2, serving: 1, workers: 4, isCanary: true, nextInMs: 17_070 };
  expect(renderStatus({ ...status, rollout }, 0, plain)).toMatch(
    /^rollout +generation 2: 1 of 4 workers serving \(canary\); the next step starts in 18s$/m,
  );
  const probation = { previous: 1, remainingMs: 61_000 };
  expect(renderStatus({ ...status, generation: 2, probation }, 0, plain)).toMatch(
    /^probation +1m 1s left: generation 1 takes over again if generation 2 fails$/m,
  );
});

test('while a step of a reload is carried out, no time until the next one is shown', () => {
  const rollout = { generation: 2, serving: 3, workers: 4, isCanary: false, nextInMs: null };
  expect(renderStatus({ ...status, rollout }, 0, plain)).toMatch(
    /^rollout +generation 2: 3 of 4 workers serving; the next step has started$/m,
  );
});

test('a reload that failed says when, after which time, and which generation serves', () => {
  const line = (last: object): string | undefined =>
    renderStatus(
      { ...status, lastReload: { ...failed, generation: 2, durationMs: 210, endedAt: 1_000, ...last } },
      4_000,
      plain,
    )
      .split('\n')
      .find((text) => text.startsWith('last start or reload'));
  expect(line({ serving: 1 })).toMatch(
    /^last start or reload \(3s ago\): generation 2 failed after 210ms, generation 1 keeps serving: the worker /,
  );
  expect(line({ serving: 1, rolledBackTo: 1, remaining: 1 })).toMatch(
    /\(3s ago\): generation 2 rolled back to generation 1 after 210ms, except in a slot whose old workers are gone: the worker /,
  );
});

test('the last run of a schedule says when it ended, how, and after which time', () => {
  const line = (result: 'failed' | 'replaced', code: number | null): string => {
    const lastRun = {
      startedAt: 0,
      durationMs: 61_000,
      result,
      outcome: code === null ? null : { code, signal: null },
    };
    const schedule = {
      expression: '@daily',
      timezone: 'UTC',
      nextAt: null,
      run: null,
      isPending: false,
      lastRun,
    };
    return renderStatus({ ...status, schedule }, 64_000, plain);
  };
  expect(line('failed', 1)).toContain('last run (3s ago): failed with exit code 1 after 61s\n');
  expect(line('replaced', 0)).toContain(
    'last run (3s ago): was cut short by the next one, with exit code 0 after 61s\n',
  );
  expect(line('replaced', null)).toContain('last run (3s ago): was cut short by the next one, after 61s\n');
});

test('the time of the last reload says what it counts from', () => {
  const line = (last: object): string =>
    renderStatus({ ...status, lastReload: { ...served, endedAt: 1_000, ...last } }, 4_000, plain);
  expect(line({ generation: 1 })).toContain('start (3s ago): generation 1 ready after 210ms\n');
  expect(line({ probationMs: 2_000 })).toContain(
    'last start or reload: generation 2 ready after 210ms, serving for 3s\n',
  );
  expect(line({})).toContain('last start or reload (completed 3s ago): generation 2 ready after 210ms\n');
});

test('a program that was stopped says how to start it, and one with a schedule has no reload', () => {
  const stopped = { ...status, phase: 'stopped', isWanted: false, generation: null, workers: [] } as const;
  expect(renderStatus(stopped, 0, plain)).toMatch(/^to start it: gracefulctl start web$/m);
  expect(renderStatus({ ...stopped, isWanted: true }, 0, plain)).not.toContain('to start it');
  const schedule = {
    expression: '@daily',
    timezone: 'UTC',
    nextAt: null,
    run: null,
    isPending: false,
    lastRun: null,
  };
  const text = renderStatus({ ...status, schedule, lastReload: served }, 4_000, plain);
  expect(text).not.toContain('last start or reload');
});

test('the config file, what the program waits for, and what its workers use are told where there are any', () => {
  const text = renderStatus(status, 0, plain);
  for (const part of ['waits for', 'usage', '.toml']) expect(text).not.toContain(part);
  const master = masterStatus('platform', '/etc/graceful.toml');
  const more = renderStatus({ ...status, master, waitsFor: ['db', 'cache'] }, 0, plain, {
    memoryBytes: 1_240_000_000,
    cpuPercent: 3,
  });
  expect(more).toMatch(/^waits for +db, cache$/m);
  expect(more).toMatch(/^usage +1.2 GB of memory, 3% of a CPU$/m);
  expect(more).toMatch(/^master +pid 77, .*, \/etc\/graceful.toml$/m);
});

test.each([
  [0, '0 kB'],
  [870_400, '870 kB'],
  [45_200_000, '45 MB'],
  [999_600_000, '1.0 GB'],
  [12_300_000_000, '12 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('what a worker does is shown below it, as far as it is known, and not if it drains', () => {
  const [worker] = status.workers as [NonNullable<(typeof status.workers)[number]>];
  const eventLoop = { utilization: 0.3, delayMeanMs: null, delayP99Ms: null, delayMaxMs: null };
  const load = { requests: 1, connections: 50, served: 900, serverErrors: 2, eventLoop };
  const lines = (facts: object, rates: ReadonlyMap<number, Rates> = new Map()): string =>
    renderStatus({ ...status, workers: [{ ...worker, ...facts }] }, 0, plain, null, rates);
  expect(lines({})).not.toContain('open');
  expect(lines({ load })).toContain('    50 connections open\n');
  const slow = { ...load, eventLoop: { ...eventLoop, delayP99Ms: 3.14 } };
  const rates = new Map([[4_242, { requests: 1_234.4, errors: 0.31 }]]);
  expect(lines({ load: slow }, rates)).toContain(
    '    1234 requests/s, 0.3 5xx/s, 50 connections open, event-loop delay 3.1ms\n',
  );
  const draining = { leftMs: 28_000, requests: 1, connections: 3, isCleaningUp: false };
  expect(lines({ load: slow, draining, state: 'draining' }, rates)).not.toContain('requests/s');
});

test('the time to the next signal is shown without its name, which stopsignal decides', () => {
  const [worker] = status.workers as [NonNullable<(typeof status.workers)[number]>];
  const draining = { leftMs: 7_000, requests: 1, connections: 3, isCleaningUp: false };
  for (const state of ['draining', 'terminating'] as const)
    expect(renderStatus({ ...status, workers: [{ ...worker, state, draining }] }, 0, plain)).toContain(
      '    1 request in flight, 3 connections open; next signal in 7s\n',
    );
});

test('a worker that drains and does not report what is open says so', () => {
  const [worker] = status.workers as [NonNullable<(typeof status.workers)[number]>];
  const draining = { leftMs: 7_000, requests: null, connections: null, isCleaningUp: null };
  expect(
    renderStatus({ ...status, workers: [{ ...worker, state: 'draining', draining }] }, 0, plain),
  ).toContain('    its open connections are not known; next signal in 7s\n');
});

test('a process that serves for the one that was started is shown below it', () => {
  const [worker] = status.workers as [NonNullable<(typeof status.workers)[number]>];
  expect(renderStatus(status, 0, plain)).not.toContain('its process');
  expect(renderStatus({ ...status, workers: [{ ...worker, servingPid: 4_250 }] }, 0, plain)).toContain(
    'its process 4250 serves\n',
  );
});

test('a program whose workers accept as soon as they run says what that means', () => {
  const withCapabilities = (isGated: boolean) => ({
    ...status,
    workers: status.workers.map((worker) => ({
      ...worker,
      capabilities: { isGated, migrates: isGated, reports: isGated },
    })),
  });
  expect(renderStatus(withCapabilities(false), 0, plain)).toMatch(
    /^capability +accepts connections as soon as it runs; open connections do not move at a reload$/m,
  );
  expect(renderStatus(withCapabilities(true), 0, plain)).not.toContain('capability');
});

test.each([
  [
    { phase: 'backoff', retry: { failures: 2, inMs: 1_900 } },
    'next start: in 1.9s, after 2 failures in a row; at once: gracefulctl start web',
  ],
  [
    { phase: 'restarting', restarts: [{ slot: 0, failures: 2, inMs: 3_200 }] },
    'slot 0 starts again in 3.2s, 2 failures in a row\nto start it at once: gracefulctl start web\n',
  ],
  [{ phase: 'failed' }, 'repair it, then gracefulctl start web'],
  [
    { phase: 'exited', exit: { code: 3, signal: null, isExpected: false } },
    'its last worker ended with exit code 3; to run it again: gracefulctl start web',
  ],
] as const)('a program that does not serve is shown with what to type: %j', (facts, line) => {
  const shown = renderStatus({ ...status, generation: null, workers: [], ...facts }, 0, plain);
  expect(shown).toContain(line);
});

test('the workers of a program that has ended as expected, or waits for its next run, are not counted', () => {
  const exit = { code: 0, signal: null };
  const shown = (facts: object): string =>
    renderStatus({ ...status, generation: null, workers: [], ...facts }, 0, plain);
  const ended = shown({ phase: 'exited', exit: { ...exit, isExpected: true } });
  expect(ended).toContain('exited, as expected\n');
  for (const text of [ended, shown({ phase: 'scheduled' })]) expect(text).not.toContain('wanted');
  expect(shown({ phase: 'exited', exit: { ...exit, isExpected: false } })).toContain('0 ready, 1 wanted');
});

test('what to type has the name by which the command line knows the program', () => {
  const shown = (facts: object): string =>
    renderStatus(
      { ...status, generation: null, workers: [], ...facts },
      0,
      plain,
      null,
      new Map(),
      'blue:web',
    );
  expect(shown({ phase: 'failed' })).toContain('then gracefulctl start blue:web\n');
  expect(shown({ phase: 'restarting' })).toContain('gracefulctl start --wait blue:web\n');
  expect(shown({ phase: 'failed' })).toMatch(/^program +web$/m);
});
