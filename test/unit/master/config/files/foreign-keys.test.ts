// Keys that there are not: what was meant, as a hint. And names at the limit of what they may be.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Compiled } from '../../../../../src/master/config/files/compile-config.ts';
import { readConfig } from '../../../../../src/master/config/files/read-config.ts';

async function read(text: string, name = 'a.toml'): Promise<Compiled> {
  const folder = mkdtempSync(join(tmpdir(), 'gr-keys-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, name);
  writeFileSync(file, text);
  return readConfig(file, {});
}

const shop = '[program.shop]\ncommand = "x"\nport = 3000\n';

test.each([
  ['drain-timeout', 'did you mean drain_timeout?'],
  ['worker', 'did you mean workers?'],
  ['enviroment', 'did you mean environment?'],
  ['max_memroy', 'did you mean max_memory?'],
  ['cwd', 'it is called directory here'],
  ['env', 'it is called environment here'],
  ['instances', 'it is called workers here'],
  ['script', 'it is called command here'],
  ['bind', 'it is called listen here'],
  ['kill_timeout', 'it is called drain_timeout here'],
  ['max_memory_restart', 'it is called max_memory here'],
  ['requires', 'it is called depends_on here'],
  ['killasgroup', 'SIGKILL always goes to all processes of a worker'],
  ['exec_mode', 'it is not needed: set the number of workers with workers'],
  ['name', 'the name is part of the table: [program.NAME]'],
])('%s of a program: %s', async (key, hint) => {
  const places: readonly (readonly [text: string, line: number, key: string])[] = [
    [`${shop}${key} = 1\n`, 4, `program.shop.${key}`],
    [`[defaults]\n${key} = 1\n${shop}`, 2, `defaults.${key}`],
  ];
  for (const [text, line, where] of places)
    expect(await read(text)).toEqual({
      problems: [
        expect.objectContaining({ line, column: 1, key: where, message: 'there is no such key', hint }),
      ],
    });
});

test.each([
  [`${shop}depend_on = []\n`, 4, 'program.shop.depend_on', 'did you mean depends_on?'],
  [`apps = 1\n${shop}`, 1, 'apps', 'it is called program here'],
  [`includes = []\n${shop}`, 1, 'includes', 'it is called include here'],
  [`workers = 1\n${shop}`, 1, 'workers', 'put it into [program.NAME], or into [defaults]'],
  [`log_level = "info"\n${shop}`, 1, 'log_level', 'put it into [master]'],
  [`${shop}[supervisord]\nx = 1\n`, 4, 'supervisord', 'it is called master here'],
  [`${shop}[master]\nlog_levle = "info"\n`, 5, 'master.log_levle', 'did you mean log_level?'],
  [
    `${shop}[group.all]\nprograms = ["shop"]\npriorty = 1\n`,
    6,
    'group.all.priorty',
    'did you mean priority?',
  ],
])('%j', async (text, line, key, hint) => {
  expect(await read(text)).toEqual({
    problems: [expect.objectContaining({ line, key, message: 'there is no such key', hint })],
  });
});

test('a name may have 64 letters, and not 65', async () => {
  const long = 'x'.repeat(64);
  expect(await read(`[program.${long}]\ncommand = "x"\nport = 3000\n`)).toMatchObject({
    plan: { programs: [{ name: long }] },
  });
  expect(await read(`[program.${long}x]\ncommand = "x"\nport = 3000\n`)).toMatchObject({
    problems: [{ line: 1, column: 10, key: `program.${long}x` }],
  });
});

test.each([
  ['CommonJS', "module.exports = { program: { shop: { command: 'x', port: 3000 } } };\n"],
  ['ESM', "export default { program: { shop: { command: 'x', port: 3000 } } };\n"],
])('graceful.js as %s is read', async (_kind, text) => {
  expect(await read(text, 'graceful.js')).toMatchObject({ plan: { programs: [{ name: 'shop' }] } });
});

test('values of a module have a file and a key, but no line', async () => {
  const text = "export default { program: { shop: { command: 'x', port: 70000 } } };\n";
  expect(await read(text, 'graceful.mjs')).toMatchObject({
    problems: [{ line: null, column: null, key: 'program.shop.port' }],
  });
});
