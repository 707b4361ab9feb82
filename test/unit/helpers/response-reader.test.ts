import { expect, test } from 'vitest';
import { readResponse } from '../../helpers/response-reader.ts';

const read = (text: string): ReturnType<typeof readResponse> => readResponse(Buffer.from(text));

test('every beginning of a response is incomplete, and the whole of it complete', () => {
  const whole = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  ];
  for (const text of whole) {
    for (let length = 0; length < text.length; length += 1) {
      expect(read(text.slice(0, length))).toEqual({ kind: 'incomplete', begun: length > 0 });
    }
    expect(read(text)).toMatchObject({
      kind: 'complete',
      response: { status: 200, body: 'hello', isLast: false },
    });
  }
});

test('what follows a response is handed back', () => {
  const reading = read('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1');
  expect(reading.kind === 'complete' && reading.rest.toString()).toBe('HTTP/1.1');
});

test('a response that announces the end of its connection is the last', () => {
  expect(read('HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n')).toMatchObject({
    kind: 'complete',
    response: { isLast: true },
  });
});

test('a response without a body needs no length', () => {
  expect(read('HTTP/1.1 204 No Content\r\n\r\n')).toMatchObject({ kind: 'complete', response: { body: '' } });
});

test.each([
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello'],
  ['no status line', 'hello\r\n\r\n'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n'],
  ['a chunk of no size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
  [
    'a chunk longer than its size',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n',
  ],
])('a response with %s is malformed', (_, text) => {
  expect(read(text).kind).toBe('malformed');
});
