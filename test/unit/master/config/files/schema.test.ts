// schema.json against a validator that was not written for it, and against what the reader accepts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../../../src/master/config/files/read-config.ts';

const root = new URL('../../../../..', import.meta.url).pathname;
const schema = JSON.parse(readFileSync(join(root, 'schema.json'), 'utf8')) as object;
const validate = new Ajv({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  strictRequired: false,
}).compile(schema);
const shop = { command: ['node', 'app.js'], port: 3000 };
const withShop = (more: object): object => ({ program: { shop: { ...shop, ...more } } });

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gr-schema-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

async function accepts(document: object): Promise<boolean> {
  const file = join(folderOfTest(), 'a.json');
  writeFileSync(file, JSON.stringify(document));
  return 'plan' in (await readConfig(file, { PORT: '80', TIME: '5s', ON: 'true' }));
}

const good: readonly object[] = [
  withShop({}),
  {
    ...withShop({}),
    $schema: './schema.json',
    include: ['x/*.toml'],
    defaults: { workers: 2 },
    master: { name: 'x' },
  },
  withShop({
    workers: 'auto',
    watch: true,
    ready: 'http:/up',
    warmup: 5,
    ready_timeout: '1.5s',
    depends_on: [],
  }),
  withShop({
    port: '${PORT}',
    ready_timeout: '${TIME}',
    migrate: '${ON}',
    environment: { A: 1, B: true, C: 'x' },
  }),
  { program: { a: { command: 'node app.js', listen: ['3000', 'admin=[::1]:3001', '${PORT}'] } } },
];

const bad: readonly object[] = [
  withShop({ prot: 1 }),
  withShop({ port: 70_000 }),
  withShop({ port: 'http' }),
  withShop({ workers: 0 }),
  withShop({ workers: 'many' }),
  withShop({ ready: 'http' }),
  withShop({ ready_timeout: 30 }),
  withShop({ probation: '30' }),
  withShop({ migrate: 'yes' }),
  withShop({ environment: { A: [] } }),
  withShop({ listen: ['1'] }),
  withShop({ depends_on: 'x' }),
  { program: { shop: { port: 1 } } },
  { program: { shop: { command: 'x' } } },
  { program: { 'my shop': shop } },
  { program: { a: { command: 'x', listen: ['x:y'] } } },
  { program: [] },
  { ...withShop({}), defaults: { port: 1 } },
  { ...withShop({}), master: { log_level: 'warning' } },
  { ...withShop({}), include: 'x' },
  { ...withShop({}), programs: {} },
];

test.each(good)('ajv and the reader accept %j', async (document) => {
  expect(validate(document) ? [] : validate.errors).toEqual([]);
  expect(await accepts(document)).toBe(true);
});

test.each(bad)('ajv and the reader refuse %j', async (document) => {
  expect(validate(document)).toBe(false);
  expect(await accepts(document)).toBe(false);
});

test('one mistake is one error', () => {
  // Beside the mistake, the validator names the rule that has found it.
  const errorsOf = (document: object): number =>
    validate(document)
      ? 0
      : (validate.errors ?? []).filter(({ keyword }) => !['if', 'propertyNames'].includes(keyword)).length;
  expect(bad.map((document) => [document, errorsOf(document)])).toEqual(bad.map((document) => [document, 1]));
});

test('every key has a description', () => {
  const { properties } = schema as {
    properties: Record<string, { properties?: Record<string, { description?: string }> }>;
  };
  const keys = Object.values(properties).flatMap(({ properties: inner = {} }) => Object.values(inner));
  expect(keys.filter(({ description = '' }) => description === '')).toEqual([]);
});
