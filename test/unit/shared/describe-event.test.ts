import { describe as group, expect, test } from 'vitest';
import { describe } from '../../../src/shared/describe-event.ts';
import { parseListenAddress } from '../../../src/master/config/options/listen-address.ts';
import { exampleEvents } from '../../helpers/example-events.ts';

group('describe', () => {
  test.each(exampleEvents.map((event) => [event.event, event] as const))(
    '%s has one line of words',
    (_event, event) => {
      const words = describe(event);
      expect(words).not.toMatch(/\n|undefined|null|NaN|\[object/);
      expect(words.length).toBeGreaterThan(5);
      expect(words.endsWith('.')).toBe(false);
    },
  );

  test('no two events say the same', () => {
    expect(new Set(exampleEvents.map((event) => describe(event))).size).toBe(exampleEvents.length);
  });

  test('text from elsewhere cannot forge a line', () => {
    const words = describe({ event: 'fileChanged', path: 'a\n{"level":"error"}\u001B[2J' });
    expect(words).not.toMatch(/\p{Cc}/u);
  });

  test.each([
    ['127.0.0.1:9000', '127.0.0.1:9000'],
    ['[::1]:9000', '[::1]:9000'],
    ['*:9000', '9000'],
    ['/run/app.sock', 'unix:/run/app.sock'],
    ['@app', 'unix:@app'],
    ['udp:127.0.0.1:53', 'udp:127.0.0.1:53'],
  ])('how to hold %s is said as --listen takes it: %s', (address, written) => {
    const identity = { generation: 1, slot: 0, pid: 1 };
    const words = describe({ event: 'undeclaredListen', ...identity, address });
    expect(words).toContain(`including this one (${written}), in listen (--listen)`);
    expect(parseListenAddress(written)).not.toBeNull();
  });

  test('one run that was missed is not called several', () => {
    const missed = { event: 'runsMissed', firstAt: 0 } as const;
    expect(describe({ ...missed, count: 1, isMadeUp: true })).toBe('missed 1 run, and runs now instead');
    expect(describe({ ...missed, count: 3, isMadeUp: true })).toBe(
      'missed 3 runs, and runs now once for all of them',
    );
    expect(describe({ ...missed, count: 1, isMadeUp: false })).toBe('missed 1 run');
  });

  test('one connection that was left behind is not called several', () => {
    const left = { event: 'queueLeftBehind', generation: 2, slot: 1 } as const;
    expect(describe({ ...left, connections: 1 })).toContain('a worker is started that serves it, and');
    expect(describe({ ...left, connections: 2 })).toContain('a worker is started that serves them, and');
  });

  test('clean-ups that were cut are advised according to what they are', () => {
    const cut = { event: 'workerCleanUpCut', generation: 1, slot: 0, pid: 1 } as const;
    expect(describe({ ...cut, what: 'SIGTERM handlers' })).toContain('process.exit()');
    expect(describe({ ...cut, what: 'drain hooks' })).not.toContain('process.exit()');
  });

  test('a reload that is requested during the first start waits for the start', () => {
    const requested = { event: 'reloadRequested', cause: 'signal', pending: true } as const;
    expect(describe({ ...requested, generation: 2 })).toMatch(/ after the start that is running$/);
    expect(describe({ ...requested, generation: 3 })).toMatch(/ after the reload that is running$/);
  });

  test('a stop that waits says what is open, how long it waits at most, and how to end it at once', () => {
    const waits = {
      event: 'stillDraining',
      stopping: true,
      workers: 2,
      requests: 3,
      connections: 5,
      cleaningUp: 0,
      leftMs: 12_300,
    } as const;
    const open = '2 workers with 3 requests in flight, 5 connections open';
    expect(describe(waits)).toBe(
      `waiting for ${open}, for at most 13s; the same request again (Ctrl-C, SIGTERM, gracefulctl stop or shutdown) stops at once`,
    );
    expect(describe({ ...waits, stopping: false })).toBe(`${open} still draining, for at most 13s`);
  });

  test('a killed worker that has served may have had requests, and one that never was ready had none', () => {
    const killed = {
      event: 'workerKilled',
      generation: 1,
      slot: 0,
      pid: 7,
      durationMs: 1,
      to: 'killing',
    } as const;
    expect(describe({ ...killed, from: 'draining', reason: 'stop' })).toContain('requests may have been cut');
    expect(describe({ ...killed, from: 'starting', reason: 'stop' })).not.toContain('cut');
    expect(describe({ ...killed, from: 'terminating', reason: 'notReady' })).not.toContain('cut');
  });
});

test('a oneshot runs and ends, and does not serve', () => {
  const identity = { generation: 1, slot: 0, pid: 7 };
  const release = { cwd: '/srv', file: '/usr/bin/mkdir', changed: null };
  const isOneshot = true;
  const outcome = { code: 0, signal: null };
  expect(
    [
      { event: 'generationReady', generation: 1, durationMs: 3, release, probationMs: 0, isOneshot } as const,
      { event: 'workerNotReplaced', ...identity, why: 'exited', outcome, isOneshot } as const,
      { event: 'stopped', failure: null, outcome, isOneshot } as const,
      { event: 'stopped', failure: null, outcome: { code: 3, signal: null }, isOneshot } as const,
      { event: 'startWaits', programs: ['prepare'], oneshots: ['prepare'] } as const,
      { event: 'startWaits', programs: ['db', 'prepare'], oneshots: ['prepare'] } as const,
    ].map((event) => describe(event)),
  ).toEqual([
    'generation 1 runs (/usr/bin/mkdir in /srv)',
    'worker 7 of generation 1 is not started again: a oneshot runs once',
    'has ended with success',
    'ended by itself with exit code 3',
    'waits for prepare to end with success before it starts',
    'waits for db to serve and for prepare to end with success before it starts',
  ]);
});
