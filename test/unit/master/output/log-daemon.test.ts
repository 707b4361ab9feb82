// A daemon by its answers to send(2) and connect(2), and a clock that the test moves.
import { expect, test } from 'vitest';
import { createLogDaemon, type LogDaemon } from '../../../../src/master/output/log-daemon.ts';
import type { MessageOrigin } from '../../../../src/master/output/log-messages.ts';
import type { MasterEvent } from '../../../../src/shared/events.ts';

const origin: MessageOrigin = {
  program: 'shop',
  generation: 1,
  slot: 0,
  worker: 1,
  stream: 'stdout',
  facility: 3,
};
const source = { hold: (): void => undefined };

interface Rig {
  readonly daemon: LogDaemon;
  /** What it has got. */
  readonly got: string[];
  readonly events: MasterEvent[];
  readonly holds: boolean[];
  readonly uses: boolean[];
  /** What connect and send answer; null: it works. */
  readonly answers: { connect: string | null; send: string | null };
  connections: number;
  readonly write: (...lines: readonly string[]) => void;
  /** Moves the clock, and runs what is due by then. */
  readonly pass: (ms: number) => void;
}

function rig(overflow: 'block' | 'drop' = 'block'): Rig {
  let now = 0;
  let armed: { readonly at: number; readonly callback: () => void } | null = null;
  const holds: boolean[] = [];
  const made: Omit<Rig, 'daemon'> = {
    got: [],
    events: [],
    holds,
    uses: [],
    answers: { connect: null, send: null },
    connections: 0,
    write: (...lines) => {
      daemon.write(Buffer.from(lines.map((line) => `${line}\n`).join('')), origin, new Date(0), false);
    },
    pass: (ms) => {
      const until = now + ms;
      for (let due = armed; due !== null && due.at <= until; due = armed) {
        now = due.at;
        armed = null;
        due.callback();
      }
      now = until;
    },
  };
  const daemon = createLogDaemon({
    protocol: 'syslog',
    path: '/dev/log',
    overflow,
    tell: (event) => made.events.push(event),
    onUse: (isUsed) => made.uses.push(isUsed),
    calls: {
      connect: () => {
        made.connections += 1;
        return made.answers.connect ?? 3;
      },
      send: (_fd, message) => {
        if (made.answers.send !== null) return made.answers.send;
        made.got.push(
          Buffer.from(message)
            .toString()
            .replace(/^.*?: /, ''),
        );
        return message.length;
      },
      close: () => undefined,
      arm: (delayMs, callback) => {
        armed = { at: now + delayMs, callback };
      },
      nowMs: () => now,
    },
  });
  daemon.attach({ hold: (isHeld) => holds.push(isHeld) });
  return Object.assign(made, { daemon });
}

test('messages are sent at once and in order, over one connection, and no timer runs', () => {
  const made = rig();
  const { got, write } = made;
  write('one', 'two');
  write('three');
  expect(got).toEqual(['one', 'two', 'three']);
  expect(made.connections).toBe(1);
});

test('what a daemon has no room for waits, and is sent in order when it has', () => {
  const { got, write, answers, pass, events } = rig();
  answers.send = 'EAGAIN';
  write('one', 'two');
  write('three');
  expect(got).toEqual([]);
  pass(3_600_000);
  answers.send = null;
  pass(500);
  expect(got).toEqual(['one', 'two', 'three']);
  expect(events).toEqual([]);
});

test('a daemon that was started again within 5 s gets everything', () => {
  const { got, write, answers, pass, events } = rig();
  write('one');
  answers.send = 'ECONNREFUSED';
  answers.connect = 'ENOENT';
  write('two');
  pass(4_000);
  [answers.send, answers.connect] = [null, null];
  write('three');
  pass(500);
  expect(got).toEqual(['one', 'two', 'three']);
  expect(events).toEqual([]);
});

test('a daemon that stays away is told once; it is looked for once a second, when there is something to say', () => {
  const made = rig();
  const { got, write, answers, pass, events } = made;
  answers.connect = 'ENOENT';
  write('one', 'two');
  expect(events).toEqual([]);
  pass(6_000);
  expect(events).toEqual([
    {
      event: 'outputLost',
      path: '/dev/log',
      reason: 'cannotWrite',
      problem: 'no daemon listens there (ENOENT)',
    },
  ]);
  const before = made.connections;
  pass(3_600_000);
  expect(made.connections).toBe(before);
  for (let at = 0; at < 1_000; at += 1) write('more');
  expect(made.connections).toBe(before + 1);
  answers.connect = null;
  pass(1_000);
  write('three');
  pass(1_000);
  write('four');
  expect(got).toEqual(['three', 'four']);
  expect(events.slice(1)).toMatchObject([{ event: 'outputResumed', lines: 1_002 }]);
});

test('workers are held while much waits, and not with drop, which counts what is lost', () => {
  const line = 'x'.repeat(1_000);
  const blocking = rig('block');
  blocking.answers.send = 'EAGAIN';
  for (let at = 0; at < 1_500; at += 1) blocking.write(line);
  expect(blocking.holds).toEqual([true]);
  blocking.answers.send = null;
  blocking.pass(500);
  expect(blocking.holds).toEqual([true, false]);
  expect(blocking.got).toHaveLength(1_500);

  const dropping = rig('drop');
  dropping.answers.send = 'EAGAIN';
  for (let at = 0; at < 1_500; at += 1) dropping.write(line);
  expect(dropping.holds).toEqual([]);
  dropping.answers.send = null;
  dropping.pass(500);
  expect(dropping.events).toMatchObject([
    { event: 'outputLost', reason: 'tooFast', problem: null },
    { event: 'outputResumed', lines: 1_500 - dropping.got.length },
  ]);
});

test('a message that the daemon cannot take is lost, and the next one is not', () => {
  const { got, write, answers, events } = rig();
  answers.send = 'EMSGSIZE';
  write('one');
  answers.send = null;
  write('two');
  expect(got).toEqual(['two']);
  expect(events).toMatchObject([{ event: 'outputLost', reason: 'cannotWrite' }]);
});

test('without a worker the connection is closed once everything is sent, and flushed() waits for that', async () => {
  const { daemon, answers, write, pass, uses } = rig();
  const own = { ...source };
  daemon.attach(own);
  answers.send = 'EAGAIN';
  write('one');
  let isFlushed = false;
  const flushed = daemon.flushed().then(() => (isFlushed = true));
  await Promise.resolve();
  expect(isFlushed).toBe(false);
  answers.send = null;
  pass(500);
  await flushed;
  daemon.detach(own);
  expect(uses).toEqual([true, true]);
});

test('what is not sent when the master ends is counted', async () => {
  const { daemon, answers, write, events } = rig();
  answers.send = 'EAGAIN';
  write('one', 'two');
  daemon.abandon();
  expect(events).toMatchObject([
    { event: 'outputLost', reason: 'cannotWrite', problem: 'it took too long at the stop' },
    { event: 'outputResumed', lines: 2 },
  ]);
  await daemon.flushed();
  daemon.abandon();
  expect(events).toHaveLength(2);
});
