import { expect, test } from 'vitest';
import { readWorkerMessage } from '../../../../src/master/process/read-worker-message.ts';
import { wrap } from '../../../../src/shared/protocol.ts';

test('takes what the protocol knows', () => {
  const message = { type: 'drained', pid: 77, served: 3, migrated: 0, cut: 0 } as const;
  expect(readWorkerMessage(wrap(message))).toEqual({ kind: 'ours', message });
});

test.each([
  ['ready'],
  [null],
  [{}],
  [{ type: 'ready', pid: 77 }],
  [{ gracefulRun: 2, message: { type: 'ready', pid: 77 } }],
])('leaves %j to the application', (raw) => {
  expect(readWorkerMessage(raw)).toEqual({ kind: 'foreign' });
});

test.each([
  [{ type: 'ready', pid: 0 }],
  [{ type: 'ready', pid: -77 }],
  [{ type: 'ready' }],
  [{ type: 'explode', pid: 77 }],
  [{ type: 'drained', pid: 77, served: -1, migrated: 0, cut: 0 }],
  [{ type: 'notReadyYet', pid: 77 }],
  [{ type: 'notReadyYet', pid: 77, reason: 'x'.repeat(501) }],
  [{ type: 'undeclaredListen', pid: 77, address: 'x'.repeat(501) }],
])('refuses %j: nobody acts on what was not checked', (message) => {
  expect(readWorkerMessage(wrap(message)).kind).toBe('broken');
});
