/**
 * Sends one request over a control socket. This file owns the limits (time, size of an answer) and the reading of the connection. The answer is not
 * trusted: its body is passed on as text.
 */
import { systemCode } from './errors.ts';

// An `import` of node:http would load all of its lazy parts too: 13 MB.
const http = process.getBuiltinModule('node:http');

/** The maximum size of an answer. That of a program with a few workers takes 2 kB, and 20 kB if its last reload failed with long lines on stderr. */
const answerLimitBytes = 16 * 1024 * 1024;

export interface ControlRequest {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly route: string;
  readonly body?: unknown;
  /** How long the whole exchange may take, in ms. Default: no limit. */
  readonly timeoutMs?: number;
  /** Aborts the exchange. */
  readonly signal?: AbortSignal;
}

export interface ControlAnswer {
  readonly status: number;
  readonly body: string;
}

/** Why there was no complete answer: no process listens, this user may not connect, it took too long, or the connection broke off. */
export type NoAnswer = 'absent' | 'forbidden' | 'timedOut' | 'brokenOff';

export interface NoWholeAnswer {
  readonly noAnswer: NoAnswer;
  readonly cause: unknown;
}

export type ControlExchange = { readonly answer: ControlAnswer } | NoWholeAnswer;

/** Sends the request. Resolves to the whole answer, or to the reason why there is none. Never rejects. */
export async function askControl(request: ControlRequest): Promise<ControlExchange> {
  const read = { status: 0, body: '' };
  const ended = await followControl(
    request,
    (text) => {
      read.body += text;
      return read.body.length <= answerLimitBytes;
    },
    (status) => {
      read.status = status;
    },
  );
  return ended === null ? { answer: read } : ended;
}

/** Sends the request, and passes the body on as it arrives, until the answer ends (null), breaks off, or `take` returns false. Never rejects. */
export async function followControl(
  request: ControlRequest,
  take: (text: string) => boolean,
  begin: (status: number) => void = () => undefined,
): Promise<NoWholeAnswer | null> {
  const opened = await openControl(request);
  if ('noAnswer' in opened) return opened;
  begin(opened.status);
  for (;;) {
    const { done, value } = await opened.body.next();
    if (done === true) return value;
    if (take(value)) continue;
    opened.close();
    return { noAnswer: 'brokenOff', cause: new Error('the answer is no longer wanted') };
  }
}

/** An answer whose status has arrived. */
export interface OpenAnswer {
  readonly status: number;
  /** The text as it arrives, no faster than it is read. Returns the reason why it is not whole, or null. Never throws. */
  readonly body: AsyncGenerator<string, NoWholeAnswer | null>;
  /** Closes the connection. */
  readonly close: () => void;
}

/** Sends the request, and resolves when the answer begins. Never rejects. */
export function openControl(request: ControlRequest): Promise<OpenAnswer | NoWholeAnswer> {
  const timeout = request.timeoutMs === undefined ? undefined : AbortSignal.timeout(request.timeoutMs);
  const signals = [timeout, request.signal].filter((one) => one !== undefined);
  const gap = (cause: unknown): NoWholeAnswer => ({
    noAnswer: timeout?.aborted === true ? 'timedOut' : reasonOf(cause),
    cause,
  });
  return new Promise((resolve) => {
    const outgoing = http.request({
      socketPath: request.path,
      method: request.method,
      path: request.route,
      // The request has a connection of its own, which is closed with the answer, so that nothing stays behind in the client's process.
      agent: false,
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    });
    outgoing.on('error', (cause) => {
      resolve(gap(cause));
    });
    outgoing.on('response', (incoming) => {
      incoming.setEncoding('utf8');
      // The answer may break off before it is read. Then the reader gets the error.
      incoming.on('error', () => undefined);
      const close = (): void => void incoming.destroy();
      resolve({ status: incoming.statusCode ?? 0, body: textOf(incoming, gap), close });
    });
    outgoing.end(request.body === undefined ? undefined : JSON.stringify(request.body));
  });
}

async function* textOf(
  incoming: AsyncIterable<string>,
  gap: (cause: unknown) => NoWholeAnswer,
): AsyncGenerator<string, NoWholeAnswer | null> {
  try {
    yield* incoming;
    return null;
  } catch (cause) {
    return gap(cause);
  }
}

function reasonOf(cause: unknown): NoAnswer {
  const code = systemCode(cause);
  if (code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK') return 'absent';
  if (code === 'EACCES' || code === 'EPERM') return 'forbidden';
  return 'brokenOff';
}
