/** Holds answers of a master to openapi.json. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** The description, as far as the tests look into it. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly responses: Readonly<Record<string, DescribedResponse>>;
  };
}

export interface DescribedOperation {
  readonly operationId?: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, DescribedResponse | { readonly $ref: string }>>;
}

export interface DescribedResponse {
  readonly content: Readonly<Record<string, MediaType>>;
}

export interface MediaType {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export const description: OpenApi = JSON.parse(
  readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'),
) as OpenApi;

// Answers may get fields in later versions; those of this version are all described.
const closed = closeObjects(description);
const ajv = new Ajv2020({
  allErrors: true,
  allowUnionTypes: true,
  strictTypes: false,
  strictRequired: false,
});
ajv.addVocabulary([...Object.keys(description), 'discriminator']);
ajv.addSchema(closed, 'openapi.json');

/** What is wrong with a value by the schema at this place of the description: `['components', 'schemas', 'Status']`. Empty: nothing. */
export function problemsOf(place: readonly string[], value: unknown): readonly string[] {
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  const validate = ajv.getSchema(`openapi.json#/${pointer.join('/')}`);
  if (validate === undefined) throw new Error(`no schema at ${place.join(' ')}`);
  if (validate(value) === true) return [];
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? error.keyword}`);
}

/** Where the description has this response; errors stand among the components. @throws when it does not know the status. */
export function placeOfResponse(
  path: string,
  method: string,
  status: number,
): { readonly place: readonly string[]; readonly response: DescribedResponse } {
  const response = description.paths[path]?.[method]?.responses[status];
  if (response === undefined) throw new Error(`openapi.json does not know ${method} ${path} ${status}`);
  if (!('$ref' in response)) return { place: ['paths', path, method, 'responses', String(status)], response };
  const place = response.$ref.slice('#/'.length).split('/');
  const shared = description.components.responses[place.at(-1) ?? ''];
  if (shared === undefined) throw new Error(`openapi.json has no ${response.$ref}`);
  return { place, response: shared };
}

/** What is wrong with an answer, with its status and its content type. Empty: nothing. */
export function problemsOfAnswer(
  path: string,
  method: string,
  answer: { readonly status: number; readonly type: string; readonly body: string },
): readonly string[] {
  const { place, response } = placeOfResponse(path, method, answer.status);
  if (!Object.hasOwn(response.content, answer.type)) return [`content-type ${answer.type}`];
  const texts =
    answer.type === 'application/x-ndjson'
      ? answer.body.split('\n').filter((line) => line !== '')
      : [answer.body];
  return texts.flatMap((text) => problemsOf([...place, 'content', answer.type, 'schema'], JSON.parse(text)));
}

function closeObjects(value: unknown): object {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    isObjectSchema(part) ? { unevaluatedProperties: false, ...part } : part,
  ) as object;
}

function isObjectSchema(value: unknown): value is object {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'object';
}
