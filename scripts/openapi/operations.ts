/** The routes of the control API in words: the purpose of each, its request and its answers. A route without an entry does not compile. */
import type { ErrorAnswer, ProgramAction, routes } from '../../src/shared/control-api.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';
import { exampleAnswers } from '../../test/helpers/example-answers.ts';
import type { ComponentName } from './component-schemas.ts';

export interface Operation {
  readonly method: 'get' | 'post';
  readonly operationId: string;
  readonly summary: string;
  /** The description after the summary, if there is more to say. */
  readonly description?: string;
  /** The parameters of the query, by name. */
  readonly query?: Readonly<Record<string, { readonly description: string; readonly schema: object }>>;
  readonly request?: { readonly schema: ComponentName; readonly example: unknown };
  readonly answers: readonly Answer[];
  /** The errors beside those that every request can get. */
  readonly errors?: readonly ErrorName[];
}

export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly schema: ComponentName;
  readonly example: unknown;
  /** True if the answer is one JSON text per line, until either side ends it. */
  readonly isStream?: true;
}

export type ErrorName =
  | 'badRequest'
  | 'programNotFound'
  | 'programAmbiguous'
  | 'programStopped'
  | 'noRollout'
  | 'noConfigFile'
  | 'upgradeFailed'
  | 'tooLarge'
  | 'planInvalid'
  | 'internalError'
  | 'unavailable';

/** The answers that report errors, in the order of their statuses. */
export const errorAnswers: Readonly<Record<ErrorName, Answer>> = {
  badRequest: error(
    400,
    'The body is not JSON, or the body or the query has an unknown field or an invalid value (`controlRequestRejected`).',
    'controlRequestRejected',
    '`workers` must be a whole number from 1 to 1024',
  ),
  programNotFound: error(
    404,
    'There is no program of that name (`programNotFound`).',
    'programNotFound',
    'cannot find the program shpo: the master runs shop, mail',
    'did you mean shop?',
  ),
  programAmbiguous: error(
    409,
    'The master does not run exactly one program: use the routes below `/v1/programs` (`programAmbiguous`).',
    'programAmbiguous',
    'cannot choose among 2 programs',
    'name one of them: POST /v1/programs/shop/reload',
  ),
  programStopped: error(
    409,
    'The program does not run, or it stops: start it first (`programStopped`).',
    'programStopped',
    'cannot reload: the program shop is stopped',
    'start it first',
  ),
  noRollout: error(
    409,
    'There is nothing to decide: no reload is under way, and no generation is on probation, or its new workers do not serve yet (`noRollout`).',
    'noRollout',
    'cannot promote shop: no reload is under way, and no generation is on probation',
    'see gracefulctl status shop',
  ),
  noConfigFile: error(
    409,
    'The master was not started with a config file (`noConfigFile`).',
    'noConfigFile',
    'cannot update: the master was started without a config file',
  ),
  upgradeFailed: error(
    409,
    'The master could not be replaced, and runs as before (`upgradeFailed`).',
    'upgradeFailed',
    'cannot upgrade: after 1m, shop is being reloaded',
    'ask again when that is over',
  ),
  tooLarge: error(
    413,
    'The body is larger than 64 KiB (`controlRequestRejected`).',
    'controlRequestRejected',
    'the body is larger than 65536 bytes',
  ),
  planInvalid: {
    status: 422,
    description:
      'The config file is wrong, and nothing was changed (`planInvalid`). `problems` lists everything that is wrong with it.',
    schema: 'ErrorAnswer',
    example: exampleAnswers.ErrorAnswer,
  },
  internalError: error(
    500,
    'A bug in graceful-run (`internalError`).',
    'internalError',
    'cannot answer: unexpected state',
  ),
  unavailable: error(
    503,
    'The master cannot serve the request: it is stopping (`masterStopped`), or too many requests wait or follow the events (`controlRequestRejected`).',
    'masterStopped',
    'cannot reload: the master is stopping',
    'start graceful-run again',
  ),
};

function error(
  status: number,
  description: string,
  code: ErrorCode | 'internalError',
  message: string,
  hint: string | null = null,
): Answer {
  const example: ErrorAnswer = { error: { code, message, hint } };
  return { status, description, schema: 'ErrorAnswer', example };
}

const events: Answer = {
  status: 200,
  description:
    'One event per line, from now on. The schema is that of one line. A reader that falls more than 1 MiB behind is disconnected.',
  schema: 'EventRecord',
  example: exampleAnswers.EventRecord,
  isStream: true,
};

const logs: Answer = {
  status: 200,
  description:
    'One line per line, the oldest first, and notices for the reader. The schema is that of one line. It is written no faster than it is read; if a reader of lines to come falls more than 1 MiB behind, lines are skipped, and a notice says how many bytes.',
  schema: 'LogRecord',
  example: exampleAnswers.LogRecord,
  isStream: true,
};

const accepted: Answer = {
  status: 202,
  description: 'Accepted (without `wait`).',
  schema: 'ReloadAccepted',
  example: exampleAnswers.ReloadAccepted,
};

const serves: Answer = {
  status: 200,
  description: 'The new generation has reached the state that `wait` names.',
  schema: 'ReloadResult',
  example: exampleAnswers.ReloadResult,
};

const failed: Answer = {
  status: 409,
  description: 'It failed. After a failed reload the previous generation serves.',
  schema: 'ReloadResult',
  example: exampleAnswers.FailedReload,
};

const status: Answer = {
  status: 200,
  description: 'The status of the program.',
  schema: 'Status',
  example: exampleAnswers.Status,
};

const scaled: Answer = {
  status: 200,
  description: 'The number of workers that are wanted from now on, and the previous number.',
  schema: 'Scaled',
  example: exampleAnswers.Scaled,
};

const decided: Answer = {
  status: 200,
  description: 'The generation that the program goes on with, or goes back to.',
  schema: 'Decided',
  example: exampleAnswers.Decided,
};

const stopping: Answer = {
  status: 202,
  description: 'Accepted. The response begins at once; with `wait` it ends when the stop is complete.',
  schema: 'StopAccepted',
  example: exampleAnswers.StopAccepted,
};

const decide = { schema: 'DecideRequest', example: {} } as const;
const reload = { schema: 'ReloadRequest', example: { wait: true } } as const;
const scale = { schema: 'ScaleRequest', example: { workers: 3 } } as const;
const stop = { schema: 'StopRequest', example: { wait: true } } as const;

/** The operations on one program: `/v1/programs/{name}`, and `/v1/programs/{name}/ACTION`. */
export const programOperations: Readonly<Record<ProgramAction | 'status', Operation>> = {
  status: {
    method: 'get',
    operationId: 'programStatus',
    summary: 'The status of a program',
    answers: [status],
    errors: ['programNotFound'],
  },
  start: {
    method: 'post',
    operationId: 'startProgram',
    summary: 'Start a program',
    description:
      'If the program is already running, only its workers that wait for their restart are started. The response comes as soon as one of its workers accepts connections: at once if one does.',
    request: reload,
    answers: [serves, accepted, failed],
    errors: ['badRequest', 'programNotFound', 'tooLarge'],
  },
  reload: {
    method: 'post',
    operationId: 'reloadProgram',
    summary: 'Reload a program',
    description:
      'Starts a new generation, and drains the previous one when the new one serves. Requests that are made during a reload share one further generation.',
    request: reload,
    answers: [serves, accepted, failed],
    errors: ['badRequest', 'programNotFound', 'programStopped', 'tooLarge'],
  },
  promote: {
    method: 'post',
    operationId: 'promoteProgram',
    summary: 'Go on with a reload of a program',
    description:
      'Ends the time of the canary or the pause of a step, so that the next workers are started, or the probation.',
    request: decide,
    answers: [decided],
    errors: ['badRequest', 'programNotFound', 'programStopped', 'noRollout', 'tooLarge'],
  },
  rollback: {
    method: 'post',
    operationId: 'rollBackProgram',
    summary: 'Go back to the old generation of a program',
    description: 'During a reload or a probation: old workers accept again, and the new ones drain.',
    request: decide,
    answers: [decided],
    errors: ['badRequest', 'programNotFound', 'programStopped', 'noRollout', 'tooLarge'],
  },
  restart: {
    method: 'post',
    operationId: 'restartProgram',
    summary: 'Stop the workers of a program, then start new ones',
    description: 'Clients wait in the queue of the listener meanwhile.',
    request: reload,
    answers: [serves, accepted, failed],
    errors: ['badRequest', 'programNotFound', 'tooLarge'],
  },
  scale: {
    method: 'post',
    operationId: 'scaleProgram',
    summary: 'Change the number of workers of a program',
    request: scale,
    answers: [scaled],
    errors: ['badRequest', 'programNotFound', 'programStopped', 'tooLarge'],
  },
  stop: {
    method: 'post',
    operationId: 'stopProgram',
    summary: 'Stop a program',
    description:
      'Drains its workers. A second request stops them at once. The master keeps running, unless it was started for one program without a config file: then it exits, too.',
    request: stop,
    answers: [stopping],
    errors: ['badRequest', 'programNotFound', 'tooLarge'],
  },
  events: {
    method: 'get',
    operationId: 'followProgram',
    summary: 'Follow the events of a program',
    answers: [events],
    errors: ['programNotFound'],
  },
  logs: {
    method: 'get',
    operationId: 'logsOfProgram',
    summary: 'What the workers of a program wrote',
    query: {
      lines: {
        description:
          'How many of the last lines of each log file, or of what the master remembers. Default: all.',
        schema: { type: 'integer', minimum: 0 },
      },
      since: {
        description: 'Only lines from this time on, in ms since 1970. Default: however old.',
        schema: { type: 'integer', minimum: 0 },
      },
      stream: {
        description: 'Only the lines of this stream. Default: both.',
        schema: { type: 'string', enum: ['stdout', 'stderr'] },
      },
      follow: {
        description: 'Go on with the lines to come. Default: false.',
        schema: { type: 'boolean' },
      },
    },
    answers: [logs],
    errors: ['badRequest', 'programNotFound'],
  },
};

export const masterOperations: Readonly<Record<keyof typeof routes, Operation>> = {
  master: {
    method: 'get',
    operationId: 'masterStatus',
    summary: 'The status of the master',
    answers: [
      {
        status: 200,
        description: 'The status of the master.',
        schema: 'MasterStatus',
        example: exampleAnswers.MasterStatus,
      },
    ],
  },
  programs: {
    method: 'get',
    operationId: 'listPrograms',
    summary: 'The status of all programs',
    answers: [
      {
        status: 200,
        description: 'The master and all its programs, in the order of the plan.',
        schema: 'ProgramList',
        example: exampleAnswers.ProgramList,
      },
    ],
  },
  update: {
    method: 'post',
    operationId: 'update',
    summary: 'Read the config file again and apply what changed',
    description:
      'The whole file is checked before anything changes. A program that did not change is not touched. `dryRun` only reports what would be done.',
    request: { schema: 'UpdateRequest', example: { dryRun: true } },
    answers: [
      {
        status: 200,
        description: 'Applied, or, with `dryRun`, what would be done.',
        schema: 'UpdateResult',
        example: exampleAnswers.UpdateResult,
      },
      {
        status: 409,
        description: 'Applied, but at least one program failed to start or reload.',
        schema: 'UpdateResult',
        example: exampleAnswers.UpdateResult,
      },
    ],
    errors: ['badRequest', 'noConfigFile', 'tooLarge', 'planInvalid'],
  },
  upgrade: {
    method: 'post',
    operationId: 'upgrade',
    summary: 'Replace graceful-run and Node.js in the running master',
    description:
      'The master continues in the version that is installed now, with the same process id; its programs keep running. There is no response to an upgrade that succeeds: the connection is closed. Then ask `GET /v1/master` until `upgrades` has grown. The upgrade waits for at most a minute until what cannot be handed over, such as a reload, is done. Requests during an upgrade get the same response.',
    request: { schema: 'UpgradeRequest', example: {} },
    answers: [],
    errors: ['badRequest', 'tooLarge', 'upgradeFailed'],
  },
  stop: {
    method: 'post',
    operationId: 'stop',
    summary: 'Stop all programs and the master',
    description: 'Drains all workers. A second request stops them at once.',
    request: stop,
    answers: [stopping],
    errors: ['badRequest', 'tooLarge'],
  },
  events: {
    method: 'get',
    operationId: 'follow',
    summary: 'Follow the events of all programs and of the master',
    answers: [events],
  },
  status: {
    method: 'get',
    operationId: 'status',
    summary: 'The status of the only program',
    answers: [status],
    errors: ['programAmbiguous'],
  },
  reload: {
    method: 'post',
    operationId: 'reload',
    summary: 'Reload the only program',
    request: reload,
    answers: [serves, accepted, failed],
    errors: ['badRequest', 'programAmbiguous', 'tooLarge'],
  },
  scale: {
    method: 'post',
    operationId: 'scale',
    summary: 'Change the number of workers of the only program',
    request: scale,
    answers: [scaled],
    errors: ['badRequest', 'programAmbiguous', 'tooLarge'],
  },
};
