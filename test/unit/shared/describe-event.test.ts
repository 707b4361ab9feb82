import { describe as group, expect, test } from 'vitest';
import { describe } from '../../../src/shared/describe-event.ts';
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
    ['127.0.0.1:9000', 'port (--port 9000)'],
    ['/run/app.sock', 'listen (--listen unix:/run/app.sock)'],
    ['udp:127.0.0.1:53', 'listen (--listen udp:127.0.0.1:53)'],
  ])('how to hold %s is said as it is written', (address, how) => {
    const identity = { generation: 1, slot: 0, pid: 1 };
    expect(describe({ event: 'undeclaredListen', ...identity, address })).toContain(how);
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
      `waiting for ${open}, for at most 13s; the same request again (Ctrl-C, SIGTERM, gracefulctl stop) stops at once`,
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
