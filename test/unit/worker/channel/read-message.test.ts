import { expect, it } from 'vitest';
import { readMessage } from '../../../../src/worker/channel/read-message.ts';

it.each([
  [{ type: 'admit' }, { type: 'admit' }],
  [
    { type: 'drain', reason: 'stop', timeoutMs: 5, migrates: false },
    { type: 'drain', reason: 'stop', timeoutMs: 5, migrates: false, emptiesQueues: false },
  ],
  [
    { type: 'listener', name: 'web' },
    { type: 'listener', name: 'web' },
  ],
  [{ type: 'drain', reason: 'whim', timeoutMs: 5 }, null],
  [{ type: 'drain', reason: 'stop', timeoutMs: -1 }, null],
  [{ type: 'drain' }, null],
  [
    { type: 'listenerSent', name: 'web', request: 1 },
    { type: 'listenerSent', name: 'web', request: 1 },
  ],
  [{ type: 'listenerSent', name: 'web' }, null],
  [{ type: 'listener' }, null],
  [{ type: 'unheard-of' }, null],
  ['admit', null],
  [null, null],
])('a message of the master is taken only when it is whole: %j', (value, expected) => {
  expect(readMessage(value)).toEqual(expected);
});
