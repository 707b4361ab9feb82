import { expect, test } from 'vitest';
import { messagesOf, type MessageOrigin } from '../../../../src/master/output/log-messages.ts';

const origin: MessageOrigin = {
  program: 'shop',
  generation: 3,
  slot: 1,
  worker: 4242,
  stream: 'stdout',
  facility: 3,
};
const time = new Date(2026, 10, 6, 7, 8, 9);

function messages(
  protocol: 'syslog' | 'journal',
  text: string,
  more: Partial<MessageOrigin> = {},
): readonly string[] {
  const lines = Buffer.from(text, 'latin1');
  return messagesOf(protocol, lines, { ...origin, ...more }, time, false).map((message) =>
    Buffer.from(message).toString('latin1'),
  );
}

test('each line is a message of syslog, as syslog(3) writes it', () => {
  expect(messages('syslog', 'one\r\n\ntwo: three\n')).toEqual([
    '<30>Nov  6 07:08:09 shop[4242]: one',
    '<30>Nov  6 07:08:09 shop[4242]: ',
    '<30>Nov  6 07:08:09 shop[4242]: two: three',
  ]);
});

test('stderr has the severity err, and the facility is the one that is asked for', () => {
  expect(messages('syslog', 'no\n', { stream: 'stderr', facility: 16 })).toEqual([
    '<131>Nov  6 07:08:09 shop[4242]: no',
  ]);
});

test('a name that syslogd would take apart is one word', () => {
  expect(messages('syslog', 'one\n', { program: '[::1]:80' })).toEqual([
    '<30>Nov  6 07:08:09 ___1__80[4242]: one',
  ]);
});

test('a line cannot forge another message, and bytes that are not UTF-8 stay', () => {
  expect(messages('syslog', 'caf\u00E9\0<0>kernel: panic\n')).toEqual([
    '<30>Nov  6 07:08:09 shop[4242]: caf\u00E9?<0>kernel: panic',
  ]);
  expect(messages('journal', 'caf\u00E9\0PRIORITY=0\n')[0]).toMatch(/\nMESSAGE=caf\u00E9\0PRIORITY=0\n$/);
});

test('each line is an entry of the journal, with the fields of graceful-run', () => {
  expect(messages('journal', 'one=1\n')).toEqual([
    [
      'PRIORITY=6',
      'SYSLOG_FACILITY=3',
      'SYSLOG_IDENTIFIER=shop',
      'SYSLOG_PID=4242',
      'GRACEFUL_RUN_PROGRAM=shop',
      'GRACEFUL_RUN_GENERATION=3',
      'GRACEFUL_RUN_WORKER=1',
      'GRACEFUL_RUN_STREAM=stdout',
      'MESSAGE=one=1',
      '',
    ].join('\n'),
  ]);
});

test('a line that is too long becomes several messages, and no character is torn', () => {
  const line = 'é'.repeat(10_000);
  const pieces = messagesOf('syslog', Buffer.from(`${line}\n`), origin, time, false).map((message) =>
    Buffer.from(message).toString(),
  );
  expect(pieces.length).toBe(3);
  for (const piece of pieces) expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(8 * 1024);
  expect(pieces.map((piece) => piece.replace(/^.*?: /, '')).join('')).toBe(line);
});

test('the end of a line whose beginning was sent is no message, and the rest of it is one', () => {
  expect(messagesOf('syslog', Buffer.from('\n'), origin, time, true)).toEqual([]);
  expect(messagesOf('syslog', Buffer.from('rest\nnext\n'), origin, time, true)).toHaveLength(2);
  expect(messagesOf('syslog', Buffer.from('\nnext\n'), origin, time, true)).toHaveLength(1);
});
