import { describe, expect, test } from 'vitest';
import { comparePlans } from '../../../../src/master/config/difference.ts';
import {
  compileOptions,
  type MetricsOptions,
  type ProgramOptions,
} from '../../../../src/master/config/options.ts';
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
    changed: [{ program: 'b', keys: ['workers'], needs: 'nothing', later: [], runsAgain: false }],
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

test('a oneshot runs again only for what may change its work', () => {
  const of = (options: Partial<ProgramOptions>): Plan =>
    planOf({ command: ['prepare'], type: 'oneshot', ...options });
  const again = (options: Partial<ProgramOptions>): unknown =>
    comparePlans(of({}), of(options)).changed.map(({ keys, needs, runsAgain }) => [
      ...keys,
      needs,
      runsAgain,
    ]);
  expect(again({ command: ['other'] })).toEqual([['command', 'reload', true]]);
  expect(again({ environment: { A: '1' }, drainSignal: 'INT' })).toEqual([
    ['environment', 'drain_signal', 'reload', true],
  ]);
  expect(again({ drainSignal: 'INT', ready: 'notify', stdoutLogfile: 'a.log' })).toEqual([
    ['stdout_logfile', 'ready', 'drain_signal', 'nothing', false],
  ]);
  expect(comparePlans(of({ schedule: '@daily' }), of({ schedule: '@daily', umask: '027' })).changed).toEqual([
    expect.objectContaining({ needs: 'nothing', runsAgain: false }),
  ]);
});

test('a program that is no longer to be started with the master keeps running', () => {
  const later = (before: boolean, after: boolean): unknown =>
    comparePlans(planOf({ ...base, autostart: before }), planOf({ ...base, autostart: after })).changed.map(
      (change) => change.later,
    );
  expect([later(true, false), later(false, true)]).toEqual([[['autostart']], [[]]]);
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

describe('the keys of a difference are those that were changed, under the names of a config file', () => {
  const file = { stdoutLogfile: 'a.log' };
  const daemon = { command: ['x'], type: 'worker' } as const;
  test.each<[Partial<ProgramOptions>, Partial<ProgramOptions>, readonly string[]]>([
    // What follows from another key is not named.
    [{}, { probation: '5s' }, ['probation']],
    [
      {},
      { probation: '5s', workers: 3, canary: 1, canaryTime: '9s' },
      ['workers', 'probation', 'canary', 'canary_time'],
    ],
    [{}, { maxSurge: 1, rolloutPause: '9s' }, ['max_surge', 'rollout_pause']],
    [
      { maxSurge: 1, rolloutPause: '9s' },
      { maxSurge: 1, rolloutPause: '9s', probation: '5s' },
      ['probation'],
    ],
    [{ stopSignal: 'TERM' }, { stopSignal: 'TERM', drainTimeout: '5s' }, ['drain_timeout']],
    [{ stopSignal: 'TERM, INT 1s' }, { stopSignal: 'TERM, INT 1s', stopwaitsecs: '5s' }, ['stopwaitsecs']],
    [
      { stopSignal: 'TERM 1s' },
      { stopSignal: 'TERM 2s', stopwaitsecs: '5s' },
      ['stopsignal', 'stopwaitsecs'],
    ],
    [{ stopSignal: 'TERM 1s' }, { stopSignal: 'TERM 2s' }, ['stopsignal']],
    [{}, { stopSignal: 'KILL' }, ['stopsignal']],
    // Nor are the defaults of what was added or removed.
    [{}, file, ['stdout_logfile']],
    [file, {}, ['stdout_logfile']],
    [{}, { stdoutLogfile: 'syslog' }, ['stdout_logfile']],
    [
      {},
      { ...file, stdoutLogfileBackups: 3, logfileCompress: true },
      ['stdout_logfile', 'stdout_logfile_backups', 'logfile_compress'],
    ],
    [{ ...file, logfileOverflow: 'drop' }, {}, ['stdout_logfile', 'logfile_overflow']],
    [{}, { stderrLogfile: 'a.log' }, ['stderr_logfile']],
    [{}, { hooks: { preStart: 'x' } }, ['hooks']],
    [{}, { hooks: { preStart: 'x' }, hookTimeout: '1s' }, ['hooks', 'hook_timeout']],
    // Each key has its own name.
    [{ ready: 'http:/' }, { ready: 'http:/', warmup: 5 }, ['warmup']],
    [{}, { ready: 'http:/', warmup: 5 }, ['ready', 'warmup']],
    [{}, { stopwaitsecs: '5s' }, ['stopwaitsecs']],
    [file, { ...file, redirectStderr: true }, ['redirect_stderr']],
    [
      { ...file, stderrLogfile: 'b.log' },
      { ...file, redirectStderr: true },
      ['stderr_logfile', 'redirect_stderr'],
    ],
    [{ ...file, redirectStderr: true }, { stdoutLogfile: 'b.log', redirectStderr: true }, ['stdout_logfile']],
  ])('%j → %j', (before, after, keys) => {
    const [change] = comparePlans(planOf({ ...base, ...before }), planOf({ ...base, ...after })).changed;
    expect(change?.keys).toEqual(keys);
  });

  test.each<[Partial<ProgramOptions>, Partial<ProgramOptions>, readonly string[]]>([
    [{ listen: ['unix:/a'] }, { listen: ['unix:/a'], socketMode: '0660' }, ['socket_mode']],
    [{ listen: ['unix:/a'] }, { listen: ['unix:/a'], socketOwner: 'root' }, ['socket_owner']],
    [{ listen: ['3000'] }, { listen: ['3000', 'unix:/a'] }, ['listen']],
    [{ listen: ['3000'] }, { listen: ['3000', 'unix:/a'], socketMode: '0660' }, ['listen', 'socket_mode']],
    [{ port: 3000 }, { port: 3000, ipv6Only: true }, ['ipv6_only']],
    [{ listen: ['3000', 'udp:127.0.0.1:53'] }, { listen: ['udp:127.0.0.1:53'] }, ['listen']],
    [daemon, { type: 'oneshot' }, ['type']],
    [daemon, { type: 'oneshot', startretries: 3, startsecs: '2s' }, ['startsecs', 'type']],
    [daemon, { ...daemon, autorestart: true }, ['autorestart']],
    [daemon, { ...daemon, adoptPidFile: '/run/x.pid' }, ['adopt_pid_file']],
    [daemon, { ...daemon, overlap: false }, ['overlap']],
    [{ port: 3000 }, { type: 'worker' }, ['listen', 'type']],
    [{ port: 3000 }, { listen: ['udp:127.0.0.1:53'] }, ['listen']],
  ])('%j → %j', (before, after, keys) => {
    const of = (options: Partial<ProgramOptions>): Plan => planOf({ command: ['x'], ...options });
    expect(comparePlans(of(before), of(after)).changed[0]?.keys).toEqual(keys);
  });

  test('of the master too', () => {
    const of = (metrics: MetricsOptions): Plan =>
      compileOptions({ name: 'm', programs: { shop: base }, metrics }, '/srv');
    const address = '127.0.0.1:9100';
    const keys = (after: MetricsOptions): unknown => comparePlans(of({ address }), of(after)).master;
    expect(keys({ address })).toEqual([]);
    expect(keys({ address: '127.0.0.1:9101' })).toEqual(['metrics']);
    expect(keys({ address, token: 'x' })).toEqual(['metrics_token']);
    expect(keys({ address, cert: 'a', key: 'b' })).toEqual(['metrics_cert', 'metrics_key']);
  });
});
