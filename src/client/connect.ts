/** Makes clients. Each call sends one request, on a connection of its own. */
import type * as z from 'zod/mini';
import { ask, promptMs } from '../shared/ask-master.ts';
import { askToStop } from '../shared/ask-to-stop.ts';
import { askToUpgrade } from '../shared/ask-to-upgrade.ts';
import {
  type ProgramAction,
  programRoute,
  type Decided,
  type ReloadAccepted,
  type ReloadResult,
  routes,
  type StopAccepted,
} from '../shared/control-api.ts';
import type { ControlAnswer, ControlRequest } from '../shared/control-client.ts';
import { isProgramName, programNameRule } from '../shared/program-name.ts';
import { GracefulRunError } from '../shared/errors.ts';
import {
  masterStatus,
  programList,
  readAnswer,
  reloadAccepted,
  reloadResult,
  decided,
  scaled,
  status as statusShape,
  updateResult,
} from '../shared/schemas/answer-schemas.ts';
import type {
  CallOptions,
  Client,
  ConnectOptions,
  Operation,
  ProgramClient,
  ReloadOptions,
  StopOptions,
  WithoutWaiting,
} from './client.ts';
import { createEventStream } from './read-events.ts';
import { reloadFailure, updateFailure } from './failures.ts';
import { findSocket } from './find-socket.ts';

/** Makes a client of a master that runs now or is started later: no request is sent yet. Errors: `badOption` if `name` cannot be a name. */
export function connect({ name, path }: ConnectOptions = {}): Client {
  if (name !== undefined) checkName(name);
  const socket = (): Promise<string> =>
    path === undefined ? findSocket(name ?? null) : Promise.resolve(path);

  function call(action: string, request: Call, { signal }: CallOptions): Promise<ControlAnswer> {
    const { statuses = [200], ...rest } = request;
    return abortable(signal, async () =>
      ask(action, { ...rest, ...given(signal), path: await socket() }, statuses),
    );
  }

  async function get<Shape>(
    action: string,
    route: string,
    shape: z.ZodMiniType<Shape>,
    options: CallOptions,
  ): Promise<Shape> {
    const { body } = await call(action, { method: 'GET', route, timeoutMs: promptMs }, options);
    return readAnswer(shape, body);
  }

  function stop(
    action: string,
    route: string,
    { wait = true, signal }: StopOptions,
    endsMaster: boolean,
  ): Promise<StopAccepted> {
    return abortable(signal, async () =>
      askToStop(action, { path: await socket(), route, endsMaster, ...given(signal) }, wait),
    );
  }

  function program(name: string): ProgramClient {
    const routeTo = (action: ProgramAction | null): string => programRoute(encodeURIComponent(name), action);

    function operation(kind: 'start' | 'reload' | 'restart'): Operation {
      const action = `${kind} ${name}`;
      const route = routeTo(kind);
      function run(options?: ReloadOptions): Promise<ReloadResult>;
      function run(options: WithoutWaiting): Promise<ReloadAccepted>;
      async function run(
        options: ReloadOptions | WithoutWaiting = {},
      ): Promise<ReloadResult | ReloadAccepted> {
        const { wait = 'serving' } = options;
        const request = { method: 'POST', route, body: { wait } } as const;
        if (wait === false) {
          const { body } = await call(
            action,
            { ...request, timeoutMs: promptMs, statuses: [200, 202] },
            options,
          );
          return readAnswer(reloadAccepted, body);
        }
        const { status, body } = await call(action, { ...request, statuses: [200, 409] }, options);
        const result = readAnswer(reloadResult, body);
        if (status === 200) return result;
        throw reloadFailure(kind === 'reload' ? 'reloadFailed' : 'startFailed', action, result);
      }
      return run;
    }

    async function decide(decision: 'promote' | 'rollback', options: CallOptions): Promise<Decided> {
      const request = { method: 'POST', route: routeTo(decision), body: {} } as const;
      const { body } = await call(`${decision} ${name}`, { ...request, timeoutMs: promptMs }, options);
      return readAnswer(decided, body);
    }

    return {
      name,
      status: (options = {}) => get(`show the status of ${name}`, routeTo(null), statusShape, options),
      start: operation('start'),
      reload: operation('reload'),
      restart: operation('restart'),
      promote: (options = {}) => decide('promote', options),
      rollback: (options = {}) => decide('rollback', options),
      async scale(workers, options = {}) {
        const request = { method: 'POST', route: routeTo('scale'), body: { workers } } as const;
        const { body } = await call(`scale ${name}`, { ...request, timeoutMs: promptMs }, options);
        return readAnswer(scaled, body);
      },
      stop: (options = {}) => stop(`stop ${name}`, routeTo('stop'), options, false),
      events: ({ signal } = {}) => createEventStream(socket, routeTo('events'), signal),
    };
  }

  return {
    master: (options = {}) => get('show the master', routes.master, masterStatus, options),
    async programs(options = {}) {
      const { programs } = await get('list the programs', routes.programs, programList, options);
      return programs;
    },
    program,
    async update({ dryRun = false, ...options } = {}) {
      const request = {
        method: 'POST',
        route: routes.update,
        body: { dryRun },
        statuses: [200, 409],
      } as const;
      const { status, body } = await call('update', request, options);
      const result = readAnswer(updateResult, body);
      if (status === 200) return result;
      throw updateFailure(result);
    },
    upgrade: ({ signal } = {}) =>
      abortable(signal, async () => askToUpgrade('upgrade', { path: await socket(), ...given(signal) })),
    stop: (options = {}) => stop('stop the master', routes.stop, options, true),
    events: ({ signal } = {}) => createEventStream(socket, routes.events, signal),
  };
}

interface Call extends Omit<ControlRequest, 'path' | 'signal'> {
  /** The statuses of a successful answer. Default: 200. */
  readonly statuses?: readonly number[];
}

/** Does `action`. If the signal is aborted before it begins, or before it fails, rejects with the signal's reason. */
async function abortable<Result>(
  signal: AbortSignal | undefined,
  action: () => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  try {
    return await action();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function given(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function checkName(name: string): void {
  if (isProgramName(name)) return;
  throw new GracefulRunError('badOption', `cannot use the name ${JSON.stringify(name)}`, {
    hint: `a name has ${programNameRule}`,
  });
}
