/**
 * Reads HTTP/1.1 responses from bytes, strictly: whatever would let a cut answer pass for a whole one is malformed. Pure.
 * It must not know sockets, nor what answer was expected.
 */

export interface Response {
  readonly status: number;
  /** Names in lower case; of a repeated header the last one. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** The server has said that it closes the connection after this response. */
  readonly isLast: boolean;
}

/** `begun`: at least one byte of an answer has come. */
export type Reading =
  | { readonly kind: 'incomplete'; readonly begun: boolean }
  | { readonly kind: 'complete'; readonly response: Response; readonly rest: Buffer }
  | { readonly kind: 'malformed'; readonly problem: string };

/** Reads one response from the start of `bytes`; interim ones (1xx) are passed over. */
export function readResponse(bytes: Buffer): Reading {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return { kind: 'incomplete', begun: bytes.length > 0 };
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const match = /^HTTP\/1\.1 (\d{3})(?: .*)?$/.exec(statusLine);
  if (match === null) return malformed(`the status line is '${statusLine}'`);
  const status = Number(match[1]);
  const rest = bytes.subarray(headEnd + 4);
  if (status < 200) {
    const next = readResponse(rest);
    return next.kind === 'incomplete' ? { kind: 'incomplete', begun: true } : next;
  }
  const headers = readHeaders(lines);
  if (headers === null) return malformed('a header has no colon');
  const read = readBody(status, headers, rest);
  if (read.kind !== 'complete') return read;
  const isLast = (headers.get('connection') ?? '').toLowerCase() === 'close';
  return {
    kind: 'complete',
    response: { status, headers, body: read.body.toString(), isLast },
    rest: read.rest,
  };
}

type BodyReading =
  | Exclude<Reading, { kind: 'complete' }>
  | { readonly kind: 'complete'; readonly body: Buffer; readonly rest: Buffer };

function readBody(status: number, headers: ReadonlyMap<string, string>, bytes: Buffer): BodyReading {
  if (status === 204 || status === 304) {
    return { kind: 'complete', body: Buffer.alloc(0), rest: bytes };
  }
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') return readChunks(bytes);
  const length = headers.get('content-length');
  // A body that ends with the connection looks the same when it is cut: nobody could tell.
  if (length === undefined || !/^\d+$/.test(length)) return malformed('the length of the body is not said');
  const end = Number(length);
  if (bytes.length < end) return { kind: 'incomplete', begun: true };
  return { kind: 'complete', body: bytes.subarray(0, end), rest: bytes.subarray(end) };
}

function readChunks(bytes: Buffer): BodyReading {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { kind: 'incomplete', begun: true };
    const size = bytes.toString('latin1', at, lineEnd);
    if (!/^[0-9a-f]+$/i.test(size)) return malformed(`the size of a chunk is '${size}'`);
    const begin = lineEnd + 2;
    const end = begin + Number.parseInt(size, 16);
    if (bytes.length < end + 2) return { kind: 'incomplete', begun: true };
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') return malformed('a chunk is longer than it says');
    if (end === begin)
      return { kind: 'complete', body: Buffer.concat(chunks), rest: bytes.subarray(end + 2) };
    chunks.push(bytes.subarray(begin, end));
    at = end + 2;
  }
}

function readHeaders(lines: readonly string[]): ReadonlyMap<string, string> | null {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return null;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

function malformed(problem: string): Extract<Reading, { kind: 'malformed' }> {
  return { kind: 'malformed', problem };
}
