/** Puts the OpenAPI description of the control API together: https://spec.openapis.org/oas/v3.1.1.html */
import { readFileSync } from 'node:fs';
import { programRoute, routes } from '../../src/shared/control-api.ts';
import { exampleAnswers } from '../../test/helpers/example-answers.ts';
import { componentSchemas, refTo } from './component-schemas.ts';
import {
  type Answer,
  errorAnswers,
  type ErrorName,
  masterOperations,
  type Operation,
  programOperations,
} from './operations.ts';

const description = `The API of a running master, over its control socket. The path of the socket, limits and examples with curl:
docs/control-api.md of the package.

The master closes the connection after each response. An empty body is the same as \`{}\`. Every error is an \`ErrorAnswer\`; an unknown route is answered
with 404 and a wrong method with 405, whose header \`Allow\` names the right one. Later versions may add routes, fields of responses, and
events; clients must ignore those that they do not know.`;

/** Returns the description as plain data. */
export function openApi(): unknown {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return {
    openapi: '3.1.1',
    info: {
      title: 'graceful-run control API',
      version,
      description: description.replaceAll(/(?<!\n)\n(?!\n)/g, ' '),
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'http://master',
        description: 'HTTP/1.1 over the control socket, a UNIX socket. The host is ignored.',
      },
    ],
    security: [],
    tags: [
      { name: 'master', description: 'The master and all of its programs.' },
      { name: 'program', description: 'One program.' },
      { name: 'only program', description: 'The program of a master that runs one.' },
    ],
    paths: paths(),
    components: {
      schemas: componentSchemas(),
      responses: Object.fromEntries(errorNames.map((name) => [name, responseOf(errorAnswers[name])])),
      parameters: {
        name: {
          name: 'name',
          in: 'path',
          required: true,
          description: "The program's name.",
          schema: { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$' },
          example: exampleAnswers.Status.program,
        },
      },
    },
  };
}

function paths(): Readonly<Record<string, unknown>> {
  const { status, ...actions } = programOperations;
  const parameters = [{ $ref: '#/components/parameters/name' }];
  const ofOnlyProgram = ['status', 'reload', 'scale'];
  const byRoute = Object.entries(masterOperations).map(([name, operation]) => [
    routeOf(name),
    { [operation.method]: describe(operation, ofOnlyProgram.includes(name) ? 'only program' : 'master') },
  ]);
  const byAction = Object.entries(actions).map(([action, operation]) => [
    `${programRoute('{name}')}/${action}`,
    { parameters, [operation.method]: describe(operation, 'program') },
  ]);
  return Object.fromEntries([
    ...byRoute.slice(0, 2),
    [programRoute('{name}'), { parameters, [status.method]: describe(status, 'program') }],
    ...byAction,
    ...byRoute.slice(2),
  ]) as Readonly<Record<string, unknown>>;
}

function routeOf(name: string): string {
  const route = new Map(Object.entries(routes)).get(name);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
}

function describe(operation: Operation, tag: string): unknown {
  const { operationId, summary, description, query, request, answers, errors = [] } = operation;
  const all: readonly Named[] = [
    ...answers.map((answer) => ({ ...answer, name: null })),
    ...errorNames
      .filter((name) => errors.includes(name) || name === 'internalError' || name === 'unavailable')
      .map((name) => ({ ...errorAnswers[name], name })),
  ];
  const statuses = [...new Set(all.map(({ status }) => status))].sort((one, other) => one - other);
  return {
    tags: [tag],
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(query === undefined
      ? {}
      : { parameters: Object.entries(query).map(([name, row]) => ({ name, in: 'query', ...row })) }),
    ...(request === undefined
      ? {}
      : {
          requestBody: {
            description: 'No body is the same as an empty object.',
            required: request.schema === 'ScaleRequest',
            content: { 'application/json': { schema: refTo(request.schema), example: request.example } },
          },
        }),
    responses: Object.fromEntries(
      statuses.map((status) => [status, response(all.filter((answer) => answer.status === status))]),
    ),
  };
}

/** An answer, with the name of its error if it is an error. */
interface Named extends Answer {
  readonly name: ErrorName | null;
}

const errorNames = Object.keys(errorAnswers) as ErrorName[];

/** Combines the answers that have the same status. */
function response(answers: readonly Named[]): unknown {
  const [only, ...others] = answers;
  if (only === undefined || others.length > 0) return severalIn(answers);
  return only.name === null ? responseOf(only) : { $ref: `#/components/responses/${only.name}` };
}

function responseOf({ description, schema, example, isStream }: Answer): unknown {
  const type = isStream === true ? 'application/x-ndjson' : 'application/json';
  return { description, content: { [type]: { schema: refTo(schema), example } } };
}

function severalIn(answers: readonly Named[]): unknown {
  const schemas = [...new Set(answers.map(({ schema }) => schema))].map(refTo);
  const examples = answers.map(({ name, schema, example }) => [name ?? schema, { value: example }] as const);
  return {
    description: answers.map((answer) => answer.description).join(' Or: '),
    content: {
      'application/json': {
        schema: schemas.length === 1 ? schemas[0] : { oneOf: schemas },
        examples: Object.fromEntries(examples),
      },
    },
  };
}
