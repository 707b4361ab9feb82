// One document in different formats is one plan.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify as toToml } from 'smol-toml';
import { expect, onTestFinished, test } from 'vitest';
import { stringify as toYaml } from 'yaml';
import { readConfig } from '../../../../../src/master/config/files/read-config.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,10}$/);
const text = fc
  .oneof(
    fc.string({ minLength: 1, unit: 'grapheme' }),
    fc.constantFrom(
      'yes',
      'null',
      '~',
      '1e3',
      '0x10',
      '- a',
      '# b',
      'a: b',
      '"',
      "'",
      '1979-05-27',
      '<<',
      '*x',
      '&x',
      '!t',
      ' a ',
      'a\nb',
      '\t',
    ),
  )
  // Not expanded: a dollar and a brace are written twice.
  .map((written) => written.replaceAll('\0', '').replaceAll('$', '$$$$').replaceAll('{', '{{'))
  .filter((written) => written !== '');
const duration = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('ms', 's', 'm'))
  .map(([n, unit]) => `${n}${unit}`);
const optional = <Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(values, { nil: undefined });

const shared = {
  host: optional(fc.constantFrom('127.0.0.1', '::1', 'localhost')),
  backlog: optional(fc.integer({ min: 1, max: 65_535 })),
  workers: optional(fc.oneof(fc.constant('auto'), fc.integer({ min: 1, max: 1024 }))),
  directory: optional(text),
  environment: optional(
    fc.dictionary(fc.stringMatching(/^[A-Za-z_][\w.-]{0,9}$/), fc.oneof(text, fc.integer(), fc.boolean()), {
      maxKeys: 4,
    }),
  ),
  env_file: optional(text),
  watch: optional(fc.oneof(fc.boolean(), fc.array(text, { maxLength: 3 }))),
  ready: optional(fc.constantFrom('listen', 'http:/up')),
  ready_timeout: optional(duration),
  drain_timeout: optional(duration),
  drain_signal: optional(fc.constantFrom('auto', 'none', 'QUIT', 'SIGUSR2')),
  probation: optional(duration),
  migrate: optional(fc.boolean()),
  autostart: optional(fc.boolean()),
};
const program = fc.record({
  ...shared,
  command: fc.array(text, { minLength: 1, maxLength: 4 }),
  port: fc.constant(0),
  depends_on: fc.constant(undefined),
});
const document = fc.record({
  master: optional(
    fc.record({
      name: optional(name),
      control: optional(fc.boolean()),
      log_level: optional(fc.constantFrom('info', 'warn')),
      log_format: optional(fc.constantFrom('json', 'pretty')),
    }),
  ),
  defaults: optional(fc.record(shared)),
  program: fc.dictionary(name, program, { minKeys: 1, maxKeys: 4 }),
});

test('TOML, YAML and JSON of the same document compile to the same plan', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gr-same-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const read = async (ending: string, content: string): Promise<unknown> => {
    const file = join(folder, `x.${ending}`);
    writeFileSync(file, content);
    const compiled = await readConfig(file, {});
    return 'plan' in compiled
      ? { ...compiled.plan, master: { ...compiled.plan.master, file: null } }
      : compiled;
  };
  await fc.assert(
    fc.asyncProperty(document, async (given) => {
      const plain: unknown = JSON.parse(JSON.stringify(given));
      const json = await read('json', JSON.stringify(plain));
      expect(json).toHaveProperty('programs');
      expect(await read('toml', toToml(plain as Record<string, unknown>))).toEqual(json);
      expect(await read('yaml', toYaml(plain))).toEqual(json);
      expect(await read('yml', JSON.stringify(plain))).toEqual(json);
    }),
    { numRuns: 60 },
  );
});
