import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { programActions, programRoute, routes } from '../../src/shared/control-api.ts';
import { description, placeOfResponse, problemsOf } from '../helpers/openapi.ts';

test('openapi.json is a valid OpenAPI 3.1 description', async () => {
  const { valid, errors } = await new Validator().validate({ ...structuredClone(description) });
  expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
});

test('openapi.json describes every route, and no other', () => {
  const actions = [null, ...programActions].map((action) => programRoute('{name}', action));
  expect(Object.keys(description.paths).sort()).toEqual([...Object.values(routes), ...actions].sort());
});

const operations = Object.entries(description.paths).flatMap(([path, operations]) =>
  Object.entries(operations)
    .filter(([method]) => method === 'get' || method === 'post')
    .map(([method, operation]) => ({ path, method, operation })),
);

test('operations have ids of their own', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(operations.length);
  expect(ids).not.toContain(undefined);
});

describe.each(operations)('$method $path', ({ path, method, operation }) => {
  test('the example of its request is valid', () => {
    for (const [type, { example }] of Object.entries(operation.requestBody?.content ?? {}))
      expect(problemsOf(['paths', path, method, 'requestBody', 'content', type, 'schema'], example)).toEqual(
        [],
      );
  });

  test.each(Object.keys(operation.responses))('the examples of its response %s are valid', (status) => {
    const { place, response } = placeOfResponse(path, method, Number(status));
    for (const [type, { example, examples = {} }] of Object.entries(response.content)) {
      const all = example === undefined ? Object.values(examples).map(({ value }) => value) : [example];
      expect(all).not.toEqual([]);
      for (const one of all) expect(problemsOf([...place, 'content', type, 'schema'], one)).toEqual([]);
    }
  });
});

test.each(Object.entries(description.components.schemas))('every example of %s is valid', (name, schema) => {
  const { examples = [] } = schema as { readonly examples?: readonly unknown[] };
  for (const example of examples) expect(problemsOf(['components', 'schemas', name], example)).toEqual([]);
});

test('the description says no to what is not an answer', () => {
  expect(problemsOf(['components', 'schemas', 'Scaled'], { workers: 1, before: 1 })).toEqual([]);
  expect(problemsOf(['components', 'schemas', 'Scaled'], { workers: '1', before: 1 })).not.toEqual([]);
  expect(problemsOf(['components', 'schemas', 'Scaled'], { workers: 1 })).not.toEqual([]);
  expect(problemsOf(['components', 'schemas', 'Scaled'], { workers: 1, before: 1, more: 1 })).not.toEqual([]);
});
