import { describe, expect, test } from 'vitest';
import { comparePlans } from '../../../../src/master/config/difference.ts';
import { compileOptions, type ProgramOptions } from '../../../../src/master/config/options.ts';
import type { Plan } from '../../../../src/master/config/plan.ts';

const base = { command: ['node', 'app.js'], port: 3000, host: '127.0.0.1' };

function planOf(options: ProgramOptions): Plan {
  return compileOptions({ programs: { shop: options } }, '/srv');
}

function needsAfter(options: Partial<ProgramOptions>): unknown {
  const [change] = comparePlans(planOf(base), planOf({ ...base, ...options })).changed;
  return change === undefined ? null : [change.keys, change.needs];
}

test('a UDP listener is bound anew for a wider address, and excludes none of TCP', () => {
  const of = (listen: readonly string[]): Plan => planOf({ command: ['node', 'app.js'], listen });
  const needs = (after: string): unknown =>
    comparePlans(of(['udp:127.0.0.1:53']), of([after])).changed.map((change) => change.needs);
  expect([needs('udp:127.0.0.1:53'), needs('udp:0.0.0.0:53'), needs('0.0.0.0:53')]).toEqual([
    [],
    ['restart'],
    ['reload'],
  ]);
});

test('programs are added, removed, changed or the same', () => {
  const before = compileOptions({ name: 'm', programs: { a: base, b: { ...base, port: 1 } } }, '/srv');
  const after = compileOptions(
    { name: 'm', programs: { c: { ...base, port: 2 }, b: { ...base, port: 1, workers: 2 } } },
    '/srv',
  );
  expect(comparePlans(before, after)).toEqual({
    added: ['c'],
    removed: ['a'],
    changed: [{ program: 'b', keys: ['workers'], needs: 'nothing' }],
    master: [],
  });
  expect(comparePlans(before, before)).toEqual({ added: [], removed: [], changed: [], master: [] });
});

describe('what a changed key needs', () => {
  test.each([
    [{}, null],
    [{ drainTimeout: '30s' }, null],
    [{ environment: {} }, null],
    [{ drainTimeout: '5s', readyTimeout: '5s' }, [['ready_timeout', 'drain_timeout'], 'nothing']],
    [{ workers: 3, watch: true, autostart: false }, [['workers', 'watch', 'autostart'], 'nothing']],
    [{ command: ['node', 'other.js'] }, [['command'], 'reload']],
    [{ cwd: 'releases/2' }, [['directory'], 'reload']],
    [{ environment: { A: '1' }, workers: 2 }, [['workers', 'environment'], 'reload']],
    [{ user: 'nobody', umask: '027', nice: 5 }, [['user', 'umask', 'nice'], 'reload']],
    [{ limits: { nofile: 64 }, noNewPrivileges: true }, [['limits', 'no_new_privileges'], 'reload']],
    [{ cpuAffinity: '0', oomScoreAdj: 1 }, [['cpu_affinity', 'oom_score_adj'], 'reload']],
    [{ noNewPrivileges: false, limits: {} }, null],
    [{ stopSignal: 'TERM 1s', stopasgroup: true }, [['stopsignal', 'stopasgroup'], 'nothing']],
    [{ ready: 'http:/healthz' as const }, [['ready'], 'reload']],
    [{ drainSignal: 'SIGTERM' as const }, [['drain_signal'], 'reload']],
    [{ drainSignal: 'auto' as const }, null],
    [{ tcpFastOpen: 16 }, [['tcp_fast_open'], 'reload']],
    [{ backlog: 16 }, [['backlog'], 'reload']],
    [{ port: 3001 }, [['listen'], 'reload']],
    [{ host: '127.0.0.2' }, [['listen'], 'reload']],
    // Neither can be bound while the other is.
    [{ host: '0.0.0.0' }, [['listen'], 'restart']],
    [{ host: 'localhost' }, [['listen'], 'restart']],
  ])('%j', (options, expected) => {
    expect(needsAfter(options)).toEqual(expected);
  });
});

test('the order of variables is no difference', () => {
  const one = planOf({ ...base, environment: { A: '1', B: '2' } });
  const other = planOf({ ...base, environment: { B: '2', A: '1' } });
  expect(comparePlans(one, other).changed).toEqual([]);
});

test('a port that another program gives up is taken over, unless the two listeners exclude each other', () => {
  const before = compileOptions({ name: 'm', programs: { a: base, b: { ...base, port: 1 } } }, '/srv');
  const needs = (host: string): unknown =>
    comparePlans(
      before,
      compileOptions({ name: 'm', programs: { a: { ...base, port: 2 }, b: { ...base, host } } }, '/srv'),
    ).changed.map((change) => [change.program, change.needs]);
  expect(needs('127.0.0.1')).toEqual([
    ['a', 'reload'],
    ['b', 'reload'],
  ]);
  expect(needs('0.0.0.0')).toEqual([
    ['a', 'reload'],
    ['b', 'restart'],
  ]);
});

test('a program whose workers did not overlap, or are not to, is stopped before others of it start', () => {
  const daemon = { command: ['nginx'], type: 'worker', adoptPidFile: '/run/nginx.pid' } as const;
  const foreground = { command: ['nginx', '-g', 'daemon off;'], type: 'worker' } as const;
  const needs = (before: ProgramOptions, after: ProgramOptions): unknown =>
    comparePlans(planOf(before), planOf(after)).changed.map((change) => change.needs);
  expect([needs(daemon, foreground), needs(foreground, daemon)]).toEqual([['restart'], ['restart']]);
});
