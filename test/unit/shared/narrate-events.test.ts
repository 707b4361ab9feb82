import { describe as group, expect, test } from 'vitest';
import type { MasterEvent, Failure } from '../../../src/shared/events.ts';
import { createNarrator, type NarrateOptions } from '../../../src/shared/narrate-events.ts';
import { colourPaint } from '../../../src/shared/paint.ts';

const failure: Failure = {
  reason: 'exited',
  message: 'the worker exited with code 1 before it was ready',
  hint: 'look at it',
  errorCode: null,
  outcome: { code: 1, signal: null },
  stderrTail: ['TypeError: no database', '    at connect'],
};
const change = { generation: 2, slot: 0, pid: 7, durationMs: 1, from: 'starting', to: 'exited' } as const;
const started: MasterEvent = { event: 'generationStarted', generation: 2, workers: 1, release: null };
const ready: MasterEvent = {
  event: 'generationReady',
  generation: 2,
  durationMs: 5,
  release: null,
  probationMs: 0,
};
const workerFailed: Extract<MasterEvent, { event: 'workerFailed' }> = {
  event: 'workerFailed',
  ...change,
  failure,
};
const generationFailed: Extract<MasterEvent, { event: 'generationFailed' }> = {
  event: 'generationFailed',
  generation: 2,
  durationMs: 5,
  release: null,
  serving: null,
  failure,
};
const stopped: MasterEvent = { event: 'stopped', failure, outcome: null };

function told(events: readonly MasterEvent[], options: NarrateOptions = {}): string {
  return events
    .map(createNarrator(options))
    .flatMap(({ line, details }) => [line, ...details])
    .join('\n');
}

const times = (text: string, part: string): number => text.split(part).length - 1;

group('one failure that several events carry', () => {
  test('is explained once, by the line about the generation', () => {
    const text = told([started, workerFailed, generationFailed, stopped]);
    expect(text).toMatch(/^generation 2 failed .*TypeError: no database$/m);
    expect(times(text, '    at connect')).toBe(1);
    expect(times(text, 'hint: look at it')).toBe(1);
    expect(text).toMatch(/^worker 7 of generation 2 failed: exit code 1$/m);
    expect(text).toMatch(/^gave up because of this failure$/m);
    expect(times(text, failure.message)).toBe(1);
    // In the reason, and in the trace.
    expect(times(text, 'TypeError: no database')).toBe(2);
  });

  test('is explained by the line about the worker when its generation serves', () => {
    const text = told([started, ready, workerFailed]);
    expect(text).toMatch(/^worker 7 of generation 2 failed: .*TypeError: no database$/m);
    expect(times(text, '    at connect')).toBe(1);
  });
});

test('two failures that look alike but are two are explained twice', () => {
  const text = told([
    started,
    ready,
    workerFailed,
    { ...workerFailed, failure: { ...failure, hint: 'another' } },
  ]);
  expect(times(text, '    at connect')).toBe(2);
});

test("the worker's output is left out where it is shown anyway", () => {
  const text = told([started, workerFailed, generationFailed], { showsOutput: false });
  expect(text).not.toContain('at connect');
  expect(times(text, 'hint: look at it')).toBe(1);
});

test('a worker that was killed did not die of what it wrote', () => {
  const killed = { ...failure, outcome: { code: null, signal: 'SIGKILL' } };
  expect(told([{ ...generationFailed, failure: killed }], { showsOutput: false })).not.toContain(
    'no database',
  );
});

test('with colours the state and the line that names the error are coloured, and nothing else', () => {
  const text = told([started, workerFailed, generationFailed], { paint: colourPaint });
  expect(text).toContain('worker 7 of generation 2 \u001B[31mfailed\u001B[39m: ');
  expect(text).toContain(' \u001B[31mTypeError: no database\u001B[39m\n');
  expect(times(text, '\u001B[31m')).toBe(3);
});
