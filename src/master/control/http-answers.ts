/** How the control server writes answers and reads bodies. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorAnswer, PlanProblem } from '../../shared/control-api.ts';
import { type ErrorCode, GracefulRunError, messageOf } from '../../shared/errors.ts';

/** The HTTP status of errors. All others have 503: the request was valid, but this master cannot carry it out now. */
const statusOf: { readonly [Code in ErrorCode]?: number } = {
  programNotFound: 404,
  programAmbiguous: 409,
  programStopped: 409,
  noRollout: 409,
  noConfigFile: 409,
  upgradeFailed: 409,
  planInvalid: 422,
  controlRequestRejected: 400,
};

/** How long the body of a request may be. */
const bodyLimitBytes = 64 * 1024;

/** The error for a request that is refused, with the HTTP status for the reason. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Writes a JSON answer, and closes the connection after it. Does nothing if an answer has begun or the client is gone. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Writes metrics in the format that Prometheus reads. */
export function answerMetrics(response: ServerResponse, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(200, {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Writes an error: refusals and errors of graceful-run as they are, any other as a bug in graceful-run. */
export function answerError(response: ServerResponse, error: unknown): void {
  if (error instanceof Refusal) {
    answerJson(
      response,
      error.status,
      errorAnswer('controlRequestRejected', error.message, null),
      error.headers,
    );
  } else if (error instanceof GracefulRunError) {
    const { code, message, hint, problems } = error;
    answerJson(response, statusOf[code] ?? 503, errorAnswer(code, message, hint, problems));
  } else {
    answerJson(response, 500, errorAnswer('internalError', `cannot answer: ${messageOf(error)}`, null));
  }
}

/** Returns the whole body as text. Throws a Refusal if it is too large, and the error of the stream if that breaks off. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    sizeBytes += chunk.length;
    if (sizeBytes > bodyLimitBytes) throw new Refusal(413, `the body is larger than ${bodyLimitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorAnswer(
  code: ErrorCode | 'internalError',
  message: string,
  hint: string | null,
  problems: readonly PlanProblem[] = [],
): ErrorAnswer {
  return { error: { code, message, hint, ...(problems.length === 0 ? {} : { problems }) } };
}
