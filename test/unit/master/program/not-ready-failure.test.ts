import { expect, test } from 'vitest';
import { type Awaited, notReadyFailure } from '../../../../src/master/program/not-ready-failure.ts';
import type { FailureContext } from '../../../../src/master/program/worker-failures.ts';
import type { Failure } from '../../../../src/shared/events.ts';
import type { Readiness } from '../../../../src/master/launch/worker-kind.ts';

const words: FailureContext = {
  wasReady: false,
  notReadyYet: null,
  says: null,
  stderrTail: ['connecting to the database'],
  undeclared: [],
  withoutPreload: null,
  declared: [10_086],
};

function failureOf(awaited: Partial<Awaited>, context: Partial<FailureContext> = {}): Failure {
  const whole: Awaited = {
    readiness: { when: 'auto' },
    startsMs: 1_000,
    isNode: false,
    listens: false,
    hasOwnSocket: false,
    gaveSign: false,
    hasNotified: false,
    reportsItself: false,
    ...awaited,
  };
  return notReadyFailure(30_000, whole, { ...words, ...context });
}

const asksHealth: Readiness = { when: 'answers', path: '/healthz', warmup: 0 };
const node = { isNode: true };

test('a worker that was asked in vain fails with what has come of it', () => {
  const failure = failureOf({ ...node, readiness: asksHealth }, { notReadyYet: 'GET /healthz answered 503' });
  expect(failure).toMatchObject({ reason: 'notReady', stderrTail: words.stderrTail });
  expect(failure.message).toContain('GET /healthz answered 503');
});

test('a worker that could not even be asked is said to what it would have been asked', () => {
  expect(failureOf({ ...node, readiness: asksHealth }).hint).toContain('/healthz');
  const listens = failureOf({ ...node, readiness: { when: 'listens' } }).hint;
  expect(listens).not.toContain('GET');
  expect(listens).toMatch(/^a worker is ready once it listens on /);
});

test('a worker without a listener is not told to listen', () => {
  for (const readiness of [{ when: 'auto' }, { when: 'sendsMessage' }] as const)
    expect(failureOf({ ...node, readiness, gaveSign: true }, { declared: [] }).hint).toMatch(
      /its code is loaded/,
    );
});

test('another program that cannot be asked is given the socket over which it could be', () => {
  const shared = failureOf({ readiness: asksHealth });
  expect(shared.message).toContain('is only for Node.js and, with reuse_port');
  expect(shared.hint).toContain('--reuse-port');
  const own = failureOf({ readiness: asksHealth, hasOwnSocket: true });
  expect(own.message).toContain('GET /healthz was not answered');
  expect(own.hint).toContain('returns status 200–399');
});

const ways: readonly (readonly [way: string, readiness: Readiness, named: string])[] = [
  ['message', { when: 'sendsMessage' }, "'ready'"],
  ['notify', { when: 'notifies' }, 'READY=1'],
  ['fd', { when: 'writesNewline', fd: 7 }, 'descriptor 7'],
  ['exec', { when: 'commandSucceeds', command: './is-healthy' }, './is-healthy'],
  ['delay', { when: 'lives', delayMs: 2_000 }, '2s'],
  ['tcp', { when: 'connects', port: 9_000 }, '127.0.0.1:9000'],
  ['a URL', { when: 'answersAt', host: '127.0.0.1', port: 9_000, path: '/up' }, ':9000/up'],
];

test.each(ways)(
  'with ready = %s, the message names what did not happen, and what the program said',
  (_, readiness, named) => {
    const { message, hint } = failureOf({ readiness }, { says: 'no database (error 111)' });
    expect(message).toContain(named);
    expect(message).toContain('no database (error 111)');
    // Only Node.js has to listen.
    expect(hint).not.toContain('listen');
  },
);

test.each(ways)(
  'with ready = %s, Node.js that has given the sign is told to listen, and else to give it',
  (_, readiness, named) => {
    const gave = failureOf({ ...node, readiness, gaveSign: true });
    expect(gave.message).not.toContain(named);
    expect(gave.hint).toContain('port 10086');
    expect(failureOf({ ...node, readiness }).hint).toContain('port 10086');
    const listened = failureOf({ ...node, readiness, listens: true });
    expect(listened.message).toContain(named);
    expect(listened.hint).not.toContain('port 10086');
  },
);

test.each<Readiness>([{ when: 'listens' }, asksHealth])(
  '%o cannot be known of a program that is not Node.js',
  (readiness) => {
    const { message, hint } = failureOf({ readiness });
    expect(message).toContain('only for Node.js');
    expect(hint).toContain('--ready');
  },
);

test('with auto, a program that says nothing is told of startsecs, by its relation to the ready timeout', () => {
  const long = failureOf({ startsMs: 40_000 }).hint;
  for (const word of ['--startsecs', '40s', '--ready-timeout', '30s']) expect(long).toContain(word);
  expect(failureOf({ startsMs: 20_000 }).hint).toContain('--startsecs');
});

test('with auto, a program that reports itself, or did so before, is told to send READY=1', () => {
  for (const said of [{ hasNotified: true }, { reportsItself: true }]) {
    const { hint } = failureOf({ ...said, startsMs: 40_000 });
    expect(hint).toContain('READY=1');
    expect(hint).not.toContain('startsecs');
  }
});

test('with auto, Node.js is told where to listen', () => {
  const { hint } = failureOf(node);
  expect(hint).toContain('port 10086');
  expect(hint).not.toContain('startsecs');
});

test('the result of the last probe and the last words of the program are both in the message', () => {
  const readiness: Readiness = { when: 'connects', port: 9_000 };
  const { message } = failureOf({ readiness }, { notReadyYet: 'cannot connect', says: 'no database' });
  expect(message).toContain('cannot connect');
  expect(message).toContain('no database');
});
