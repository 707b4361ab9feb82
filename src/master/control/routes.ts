/**
 * Which command each control request is, and how its result becomes an HTTP answer. It knows neither sockets and files, nor how
 * the master reloads or stops.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as z from 'zod/mini';
import { routes } from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { answerError, answerJson, readBody, Refusal } from './http-answers.ts';
import type { Commands } from './commands.ts';
import type { Lasting } from './connection-limits.ts';
import { streamEvents } from './event-stream.ts';
import { parseRequest, reloadRequest, scaleRequest, stopRequest, waitOf } from './request-schemas.ts';

type Action = (
  request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
  keep: Keep,
) => Promise<void> | void;

/** Says that the answer may be hours away. @throws Refusal when too many are. */
type Keep = (kind: Lasting) => void;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly act: Action;
}

const table: ReadonlyMap<string, Route> = new Map<string, Route>([
  [routes.status, { method: 'GET', act: showStatus }],
  [routes.reload, { method: 'POST', act: reload }],
  [routes.scale, { method: 'POST', act: scale }],
  [routes.stop, { method: 'POST', act: stop }],
  [routes.events, { method: 'GET', act: followEvents }],
]);

/** Answers one request, whatever it is. Never rejects; nothing that a client sends or omits reaches the master as an error. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
  keep: Keep,
): Promise<void> {
  // A client that goes away makes both emit errors; without a listener they would end the process.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  // One request a connection: no idle connections to time out, to count or to close.
  response.shouldKeepAlive = false;
  try {
    await routeOf(request).act(request, response, commands, keep);
  } catch (error) {
    answerError(response, error);
  }
}

/** Answers a request that still waits when the master ends: what it waited for will not be known any more. */
export function answerMasterStopped(response: ServerResponse): void {
  answerError(
    response,
    new GracefulRunError('masterStopped', 'cannot tell the outcome: the master stopped first', {
      hint: 'start graceful-run again',
    }),
  );
}

function routeOf(request: IncomingMessage): Route {
  const [path = ''] = (request.url ?? '').split('?');
  const route = table.get(path);
  if (route === undefined) throw new Refusal(404, `unknown route ${path}`);
  if (request.method !== route.method) {
    throw new Refusal(405, `${path} wants ${route.method}`, { allow: route.method });
  }
  return route;
}

async function showStatus(
  _request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
): Promise<void> {
  answerJson(response, 200, await commands.status());
}

async function reload(
  request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
  keep: Keep,
): Promise<void> {
  const wait = waitOf(await readRequest(request, reloadRequest));
  if (wait !== null) keep('waits');
  const { accepted, outcome } = commands.reload({ cause: 'control', wait: wait ?? 'serving' });
  if (wait === null) {
    // Not waited for here: the log reports its failure.
    outcome.catch(() => undefined);
    answerJson(response, 202, accepted);
    return;
  }
  const result = await outcome;
  answerJson(response, result.ok ? 200 : 409, result);
}

async function scale(request: IncomingMessage, response: ServerResponse, commands: Commands): Promise<void> {
  const { workers } = await readRequest(request, scaleRequest);
  answerJson(response, 200, commands.scale({ change: { to: workers } }));
}

async function stop(
  request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
  keep: Keep,
): Promise<void> {
  const { wait } = await readRequest(request, stopRequest);
  if (wait === true) keep('waits');
  const { accepted, done } = commands.stop({ cause: 'control' });
  if (wait !== true) {
    done.catch(() => undefined);
    answerJson(response, 202, accepted);
    return;
  }
  // The answer begins now and ends with the stop: so the client has the pid even if the master is killed meanwhile.
  response.writeHead(202, { 'content-type': 'application/json' });
  response.write(`${JSON.stringify(accepted)}\n`);
  await done.catch(() => undefined);
  response.end();
}

function followEvents(
  _request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
  keep: Keep,
): void {
  keep('follows');
  streamEvents(response, (listener) => commands.subscribe(listener));
}

async function readRequest<Request>(
  request: IncomingMessage,
  shape: z.ZodMiniType<Request>,
): Promise<Request> {
  const parsed = parseRequest(shape, await readBody(request));
  if ('problem' in parsed) throw new Refusal(400, parsed.problem);
  return parsed.request;
}
