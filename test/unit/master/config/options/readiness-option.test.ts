import { expect, test } from 'vitest';
import { parseReady } from '../../../../../src/master/config/options/readiness-option.ts';

test.each([
  ['auto', { when: 'auto' }],
  ['listen', { when: 'listens' }],
  ['message', { when: 'sendsMessage' }],
  ['notify', { when: 'notifies' }],
  ['fd:5', { when: 'writesNewline', fd: 5 }],
  [
    'exec:curl -f http://127.0.0.1:9000/',
    { when: 'commandSucceeds', command: 'curl -f http://127.0.0.1:9000/' },
  ],
  ['delay:1.5s', { when: 'lives', delayMs: 1_500 }],
  ['tcp:9000', { when: 'connects', port: 9_000 }],
  ['http:/up?deep=1', { when: 'answers', path: '/up?deep=1', warmup: 3 }],
  ['http://127.0.0.1:9000', { when: 'answersAt', host: '127.0.0.1', port: 9_000, path: '/' }],
  ['http://[::1]:9000/up', { when: 'answersAt', host: '::1', port: 9_000, path: '/up' }],
])('%s is understood', (written, readiness) => {
  expect(parseReady(written, 3)).toEqual(readiness);
});

test.each([
  '',
  'Listen',
  'exec:',
  'exec: ',
  'delay:2',
  'delay:25h',
  'tcp:0',
  'tcp:65536',
  'tcp:localhost:80',
  'http:up',
  'http://localhost/up',
  'http://localhost:0/up',
  'http://user@host:80/',
  'https://localhost:443/',
  'fd:2',
])('%s is refused', (written) => {
  expect(parseReady(written, 0)).toBeNull();
});
