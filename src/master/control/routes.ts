/**
 * Which command each control request is, and how its result becomes an HTTP answer. It knows neither sockets and files, nor how
 * the master reloads or stops.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as z from 'zod/mini';
import {
  metricsRoute,
  type ProgramAction,
  programActions,
  type ProgramList,
  routes,
} from '../../shared/control-api.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import {
  decideRequest,
  reloadRequest,
  scaleRequest,
  stopRequest,
  updateRequest,
  upgradeRequest,
} from '../../shared/schemas/request-schemas.ts';
import { answerError, answerJson, answerMetrics, readBody, Refusal } from './http-answers.ts';
import type { Commands, ReloadCommand, ReloadUnderWay, StopCommand } from './commands.ts';
import type { Lasting } from './connection-limits.ts';
import { streamEvents } from './event-follower.ts';
import { parseLogsQuery } from './logs-query.ts';
import { streamLogs } from './log-stream.ts';
import { parseRequest, waitOf } from './read-request.ts';

/** A request with everything that is needed to answer it. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly commands: Commands;
  readonly keep: Keep;
}

/** Carries out the request of a route. `program`: the program that the route names; null for the only one. */
type Action = (exchange: Exchange, program: string | null) => Promise<void> | void;

/** Says that the answer may take hours. @throws Refusal if too many such answers are under way. */
type Keep = (kind: Lasting) => void;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly act: Action;
}

const ofMaster: ReadonlyMap<string, Route> = new Map<string, Route>([
  [routes.master, { method: 'GET', act: showMaster }],
  [routes.programs, { method: 'GET', act: listPrograms }],
  [routes.update, { method: 'POST', act: update }],
  [routes.upgrade, { method: 'POST', act: upgrade }],
  [routes.stop, { method: 'POST', act: async (exchange) => stop(exchange, exchange.commands.shutDown) }],
  [routes.events, { method: 'GET', act: followEvents }],
  [routes.status, { method: 'GET', act: showStatus }],
  [routes.reload, { method: 'POST', act: reload }],
  [routes.scale, { method: 'POST', act: scale }],
  [metricsRoute, { method: 'GET', act: showMetrics }],
]);

const ofProgram: { readonly [Name in ProgramAction]: Route } = {
  start: {
    method: 'POST',
    act: async (exchange, program) => beginAndAnswer(exchange, program, exchange.commands.start),
  },
  reload: { method: 'POST', act: reload },
  promote: { method: 'POST', act: (exchange, program) => decide(exchange, program, 'promote') },
  rollback: { method: 'POST', act: (exchange, program) => decide(exchange, program, 'rollback') },
  restart: {
    method: 'POST',
    act: async (exchange, program) => beginAndAnswer(exchange, program, exchange.commands.restart),
  },
  scale: { method: 'POST', act: scale },
  stop: {
    method: 'POST',
    act: async (exchange, program) =>
      stop(exchange, ({ cause }) => exchange.commands.stop({ program, cause })),
  },
  events: { method: 'GET', act: followEvents },
  logs: { method: 'GET', act: showLogs },
};

/** Answers one request, whatever it is. Never rejects, and nothing that a client sends or omits causes an error in the master. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  commands: Commands,
  keep: Keep,
): Promise<void> {
  // If the client disconnects, both emit errors; without a listener these would end the process.
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  // There is one request for each connection, so there are no idle connections to time out, to count or to close.
  response.shouldKeepAlive = false;
  try {
    const { route, program } = routeOf(request);
    await route.act({ request, response, commands, keep }, program);
  } catch (error) {
    answerError(response, error);
  }
}

/** Answers a request that still waits when the master ends, so that its result will never be known. */
export function answerMasterStopped(response: ServerResponse): void {
  answerError(
    response,
    new GracefulRunError('masterStopped', 'cannot tell the outcome: the master stopped first', {
      hint: 'start graceful-run again',
    }),
  );
}

function routeOf(request: IncomingMessage): { readonly route: Route; readonly program: string | null } {
  const [path = ''] = (request.url ?? '').split('?');
  const found = findRoute(path);
  if (found === null) throw new Refusal(404, `unknown route ${path}`);
  if (request.method !== found.route.method) {
    throw new Refusal(405, `${path} wants ${found.route.method}`, { allow: found.route.method });
  }
  return found;
}

function findRoute(path: string): { readonly route: Route; readonly program: string | null } | null {
  const route = ofMaster.get(path);
  if (route !== undefined) return { route, program: null };
  if (!path.startsWith(`${routes.programs}/`)) return null;
  const [name = '', action, ...rest] = path.slice(routes.programs.length + 1).split('/');
  const program = decode(name);
  if (program === null || program === '' || rest.length > 0) return null;
  if (action === undefined) return { route: { method: 'GET', act: showStatus }, program };
  const known = programActions.find((one) => one === action);
  return known === undefined ? null : { route: ofProgram[known], program };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function showMaster({ response, commands }: Exchange): void {
  answerJson(response, 200, commands.master());
}

async function listPrograms({ request, response, commands }: Exchange): Promise<void> {
  const programs = await commands.programs({ hasLoad: wantsLoad(request) });
  answerJson(response, 200, { master: commands.master(), programs } satisfies ProgramList);
}

async function showStatus({ request, response, commands }: Exchange, program: string | null): Promise<void> {
  answerJson(response, 200, await commands.status({ program, hasLoad: wantsLoad(request) }));
}

/** Whether the request is for `/v1/status?load`. */
function wantsLoad({ url = '' }: IncomingMessage): boolean {
  return new URLSearchParams(url.split('?')[1] ?? '').has('load');
}

async function showMetrics({ response, commands }: Exchange): Promise<void> {
  answerMetrics(response, await commands.metrics());
}

async function reload(exchange: Exchange, program: string | null): Promise<void> {
  return beginAndAnswer(exchange, program, exchange.commands.reload);
}

async function beginAndAnswer(
  { request, response, keep }: Exchange,
  program: string | null,
  begin: (command: ReloadCommand) => ReloadUnderWay,
): Promise<void> {
  const wait = waitOf(await readRequest(request, reloadRequest));
  if (wait !== null) keep('waits');
  const { accepted, outcome } = begin({ program, cause: 'control', wait: wait ?? 'serving' });
  if (wait === null) {
    // The outcome is not waited for here: the log reports a failure.
    outcome.catch(() => undefined);
    answerJson(response, 202, accepted);
    return;
  }
  const result = await outcome;
  answerJson(response, result.ok ? 200 : 409, result);
}

async function decide(
  { request, response, commands }: Exchange,
  program: string | null,
  decision: 'promote' | 'rollback',
): Promise<void> {
  await readRequest(request, decideRequest);
  answerJson(response, 200, commands[decision]({ program }));
}

async function scale({ request, response, commands }: Exchange, program: string | null): Promise<void> {
  const { workers } = await readRequest(request, scaleRequest);
  answerJson(response, 200, commands.scale({ program, change: { to: workers } }));
}

async function stop(
  { request, response, keep }: Exchange,
  begin: (command: Pick<StopCommand, 'cause'>) => ReturnType<Commands['stop']>,
): Promise<void> {
  const { wait } = await readRequest(request, stopRequest);
  if (wait === true) keep('waits');
  const { accepted, done } = begin({ cause: 'control' });
  if (wait !== true) {
    done.catch(() => undefined);
    answerJson(response, 202, accepted);
    return;
  }
  // The answer begins now and ends with the stop, so that the client has the pid even if the master is killed in the meantime.
  response.writeHead(202, { 'content-type': 'application/json' });
  response.write(`${JSON.stringify(accepted)}\n`);
  await done.catch(() => undefined);
  response.end();
}

async function update({ request, response, commands, keep }: Exchange): Promise<void> {
  const { dryRun } = await readRequest(request, updateRequest);
  keep('waits');
  const result = await commands.update({ cause: 'control', isDryRun: dryRun === true });
  answerJson(response, result.programs.every(({ problem }) => problem === null) ? 200 : 409, result);
}

/** Answers only if the upgrade fails. If it succeeds, this program is replaced, and the kernel closes the connection. */
async function upgrade({ request, keep, commands }: Exchange): Promise<void> {
  await readRequest(request, upgradeRequest);
  keep('waits');
  await commands.upgrade({ cause: 'control' });
}

function followEvents({ response, commands, keep }: Exchange, program: string | null): void {
  const of = program === null ? undefined : { program };
  // Checked before the answer begins: there may be no such program.
  if (of !== undefined) commands.subscribe(() => undefined, of)();
  keep('follows');
  streamEvents(response, (listener) => commands.subscribe(listener, of));
}

async function showLogs(
  { request, response, commands, keep }: Exchange,
  program: string | null,
): Promise<void> {
  const query = parseLogsQuery(request.url ?? '');
  if ('problem' in query) throw new Refusal(400, query.problem);
  const reader = new AbortController();
  // Called before the answer begins: there may be no such program.
  const records = commands.logs({ program, ...query.request }, reader.signal);
  // The answer may be long, and a slow reader takes its time.
  keep('follows');
  await streamLogs(response, records, reader);
}

async function readRequest<Request>(
  request: IncomingMessage,
  shape: z.ZodMiniType<Request>,
): Promise<Request> {
  const parsed = parseRequest(shape, await readBody(request));
  if ('problem' in parsed) throw new Refusal(400, parsed.problem);
  return parsed.request;
}
