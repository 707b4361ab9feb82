/** Makes schema.json, the JSON Schema of config files for editors, from the keys of src/master/config/files/config-keys.ts. */
import * as z from 'zod/mini';
import {
  defaultKeys,
  fileKeys,
  masterKeys,
  patterns,
  programKeys,
} from '../src/master/config/files/config-keys.ts';
import { groupKeys } from '../src/master/config/files/group-keys.ts';
import { type ConfigKey, innerRules } from '../src/master/config/files/key-schemas.ts';

type Json = Record<string, unknown>;

export function configSchema(): Json {
  const program = {
    ...tableOf(programKeys),
    required: ['command'],
    not: { required: ['workers', 'numprocs'] },
    if: { required: ['listen'] },
    then: { not: { required: ['port'] } },
    // Without `listen`, a port is required, unless the type is another one than `server`: `worker`, `oneshot`, or a variable.
    else: {
      if: { required: ['type'], properties: { type: { not: { const: 'server' } } } },
      else: { required: ['port'] },
    },
  };
  return {
    // The version of JSON Schema that editors support best (taplo and yaml-language-server).
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Config file of graceful-run',
    type: 'object',
    properties: {
      $schema: { type: 'string', description: 'The JSON Schema of this file, for editors.' },
      include: { type: 'array', items: { type: 'string', minLength: 1 }, description: fileKeys.include },
      master: { ...tableOf(masterKeys), description: fileKeys.master },
      defaults: { ...tableOf(defaultKeys), description: fileKeys.defaults },
      program: {
        type: 'object',
        propertyNames: { pattern: patterns.name },
        additionalProperties: program,
        description: fileKeys.program,
      },
      group: {
        type: 'object',
        propertyNames: { pattern: patterns.name },
        additionalProperties: { ...tableOf(groupKeys), required: ['programs'] },
        description: fileKeys.group,
      },
    },
    additionalProperties: false,
  };
}

function tableOf(keys: Readonly<Record<string, ConfigKey>>): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(keys).map(([key, row]) => [key, schemaOf(key, row)])),
    additionalProperties: false,
  };
}

function schemaOf(key: string, { schema, description, default: preset, pattern }: ConfigKey): Json {
  const made = flat({
    ...z.toJSONSchema(schema, {
      target: 'draft-07',
      io: 'input',
      metadata: innerRules,
    }),
  });
  // The key stands once, at the top of the whole schema.
  delete made['$schema'];
  const items = key === 'listen' ? { items: { type: 'string', pattern: patterns.listenAddress } } : {};
  return {
    description: `${plain(description)} Default: ${plain(preset)}.`,
    ...made,
    ...items,
    ...(pattern === undefined ? {} : { pattern }),
  };
}

/** Replaces `anyOf`, because validators report for each branch why a value does not fit. A keyword for one type does not affect values of another. */
function flat(schema: Json): Json {
  const { anyOf, ...own } = schema;
  for (const key of ['items', 'additionalProperties']) {
    const inner = own[key];
    if (isJson(inner)) own[key] = flat(inner);
  }
  if (!Array.isArray(anyOf)) return own;
  const branches = anyOf.filter(isJson).map(flat);
  const patterns = branches.filter(({ type }) => [type].flat().includes('string')).map(patternOf);
  return {
    ...own,
    type: [...new Set(branches.flatMap(({ type }) => type))],
    ...branches.reduce((all, branch) => ({ ...all, ...withoutType(branch) }), {}),
    // A branch without a pattern accepts every text.
    ...(patterns.length === 0 || patterns.includes(null) ? {} : { pattern: patterns.join('|') }),
  };
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function patternOf({ const: word, pattern }: Json): string | null {
  if (typeof word === 'string') return `^${word}$`;
  return typeof pattern === 'string' ? pattern : null;
}

function withoutType(schema: Json): Json {
  const more = { ...schema };
  for (const key of ['type', 'const', 'pattern']) Reflect.deleteProperty(more, key);
  return more;
}

/** Removes the marks of Markdown, because editors show the text as it is. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
