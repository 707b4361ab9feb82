import { describe, expect, test } from 'vitest';
import type { Failure } from '../../../../src/shared/events.ts';
import {
  masterEndAfter,
  type MasterEnd,
  type ProgramEnd,
} from '../../../../src/master/programs/exit-policy.ts';

const failure: Failure = {
  reason: 'exited',
  message: 'it exited with code 3',
  outcome: { code: 3, signal: null },
  hint: null,
  errorCode: null,
  stderrTail: [],
};
const crash = { failure, outcome: null };
const done = { failure: null, outcome: { code: 0, signal: null } };
const requested = { failure: null, outcome: null };

function endAfter(
  stopped: ProgramEnd['stopped'],
  onFatal: 'stay' | 'exit' | null,
  { isWanted = true, isOfOneProgram = true, isStopping = false } = {},
): MasterEnd | null {
  const plan = { restart: { onFatal } } as ProgramEnd['plan'];
  return masterEndAfter({ plan, stopped, isWanted }, { isOfOneProgram, isStopping });
}

describe('a master of one program', () => {
  test('ends with its program, and with its exit code if that is wanted', () => {
    expect(endAfter(done, null)).toEqual({ stopsOthers: false, exitCode: 0 });
    expect(endAfter(crash, 'exit')).toEqual({ stopsOthers: false, exitCode: 3 });
    expect(endAfter(crash, null)).toEqual({ stopsOthers: false, exitCode: null });
  });

  test('ends with code null if a request has stopped the program', () => {
    expect(endAfter(requested, null, { isWanted: false })).toEqual({ stopsOthers: false, exitCode: null });
    expect(endAfter(crash, 'exit', { isWanted: false })).toEqual({ stopsOthers: false, exitCode: null });
  });

  test('lives on while its program is restarted, and with on_fatal stay', () => {
    expect(endAfter(requested, null)).toBeNull();
    expect(endAfter(crash, 'stay')).toBeNull();
  });
});

describe('a master of several programs', () => {
  const several = { isOfOneProgram: false };

  test('lives on without a program, unless it has failed with on_fatal exit', () => {
    expect(endAfter(done, 'exit', several)).toBeNull();
    expect(endAfter(crash, null, several)).toBeNull();
    expect(endAfter(crash, 'exit', several)).toEqual({ stopsOthers: true, exitCode: 3 });
  });

  test('ends with code 1 if the program has failed without an exit code of its own', () => {
    const notReady = { failure: { ...failure, reason: 'notReady', outcome: null }, outcome: null } as const;
    expect(endAfter(notReady, 'exit', several)).toEqual({ stopsOthers: true, exitCode: 1 });
    expect(endAfter(notReady, null, several)).toBeNull();
  });

  test('keeps its exit code if the program was stopped by a request, or the master stops already', () => {
    expect(endAfter(crash, 'exit', { ...several, isWanted: false })).toBeNull();
    expect(endAfter(crash, 'exit', { ...several, isStopping: true })).toBeNull();
  });
});
