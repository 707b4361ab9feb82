// The process that reads a config file, as the master asks it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommandLine } from '../../src/master/cli/parse-command-line.ts';
import { compileOptions } from '../../src/master/config/options.ts';
import { readPlan, type ReadPlanOptions } from '../../src/master/config/read-plan.ts';
import { PlanInvalid } from '../../src/master/config/plan-invalid.ts';
import { version } from '../../src/shared/version.ts';
import { temporaryFolder } from '../helpers/run-master.ts';

const reader = new URL('../../dist/master/read-plan.js', import.meta.url).pathname;

async function problemsOf(
  content: string,
  options: Partial<ReadPlanOptions> = {},
): Promise<readonly string[]> {
  const file = join(temporaryFolder(), 'a.mjs');
  writeFileSync(file, content);
  try {
    await readPlan(file, { environment: process.env, reader, ...options });
  } catch (error) {
    if (error instanceof PlanInvalid) return error.problems.map(({ message }) => message);
    throw error;
  }
  return [];
}

/** The paths of what can be changed in a value. */
function changeable(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, one]) => changeable(one, `${path}.${key}`));
  return Object.isFrozen(value) ? inner : [path, ...inner];
}

test('the plan is frozen in all of its parts, as that of a command line is', async () => {
  const file = join(temporaryFolder(), 'a.toml');
  writeFileSync(
    file,
    [
      '[master]\nname = "host"\nmetrics = "127.0.0.1:9000"',
      '[program.shop]\ncommand = ["node", "a.js"]\nport = 81\nenvironment = { A = "1" }\nwatch = ["src"]',
      'hooks = { on_failure = "true" }\nwebhook = { url = "http://127.0.0.1:1/" }\nstopsignal = "TERM 10s, KILL"\nexitcodes = [0, 2]',
      'rollback_on = "5xx > 5% over 10s, at least 50 requests"\nlisten = ["a=127.0.0.1:82", "unix:/tmp/a.sock"]\nready = "http:/"',
      '[program.clean]\ntype = "oneshot"\ncommand = "x"\nschedule = "* * * * *"\n[group.all]\nprograms = ["shop"]\n',
    ]
      .join('\n')
      .replace('port = 81\n', ''),
  );
  const { plan } = await readPlan(file, { environment: process.env, reader });
  expect(plan.programs.map(({ name }) => name)).toEqual(['shop', 'clean']);
  expect(changeable(plan)).toEqual([]);
  const invocation = parseCommandLine(['--listen', '127.0.0.1:81', '--watch', 'src', '--', 'node', 'a.js']);
  if (invocation.kind !== 'run') throw new Error(invocation.kind);
  expect(changeable(compileOptions(invocation.options, '/', 'commandLine'))).toEqual([]);
});

test('an environment variable becomes part of the plan', async () => {
  const file = join(temporaryFolder(), 'a.toml');
  writeFileSync(file, '[program.shop]\ncommand = "x"\nport = "${TEST_PORT}"\n');
  const { plan } = await readPlan(file, { environment: { ...process.env, TEST_PORT: '81' }, reader });
  expect(plan.programs[0]?.listeners[0]).toMatchObject({ port: 81 });
  expect(Object.isFrozen(plan.programs[0]?.listeners[0])).toBe(true);
});

test('a file in TypeScript is loaded where Node.js can, and is refused with the reason where it cannot', async () => {
  const file = join(temporaryFolder(), 'a.ts');
  writeFileSync(
    file,
    "const port: number = 81;\nexport default { program: { shop: { command: 'x', port } } } satisfies object;\n",
  );
  const reading = readPlan(file, { environment: process.env, reader });
  // `false` or missing before Node.js 22.18.
  if (Reflect.get(process.features, 'typescript') === 'strip')
    expect((await reading).plan.programs[0]?.listeners[0]).toMatchObject({ port: 81 });
  else
    await expect(reading).rejects.toMatchObject({
      problems: [
        {
          message: `is TypeScript, which Node.js ${process.versions.node} cannot load`,
          hint: 'run graceful-run with Node.js 22.18 or later, or write the file in JavaScript',
        },
      ],
    });
});

test('a file is run anew at every reading', async () => {
  const file = join(temporaryFolder(), 'a.mjs');
  const ports = [];
  for (const port of [1, 2]) {
    writeFileSync(file, `export default { program: { shop: { command: 'x', port: ${port} } } };`);
    const { plan } = await readPlan(file, { environment: process.env, reader });
    const [listener] = plan.programs[0]?.listeners ?? [];
    ports.push(listener?.type === 'tcp' ? listener.port : null);
  }
  expect(ports).toEqual([1, 2]);
});

test('timers and servers that a file leaves behind do not matter', async () => {
  const problems = await problemsOf(
    "import { createServer } from 'node:net';\ncreateServer().listen(0, '127.0.0.1');\nsetInterval(() => {}, 1e6);\n" +
      "process.exit = () => {}; process.on('exit', () => { for (;;); });\n" +
      "export default async () => ({ program: { shop: { command: 'x', port: 0 } } });",
  );
  expect(problems).toEqual([]);
});

test('a file that hangs is given up', async () => {
  expect(await problemsOf('for (;;);', { timeoutMs: 500 })).toHaveLength(1);
  expect(
    await problemsOf('await new Promise(() => setInterval(() => {}, 1e6));', { timeoutMs: 500 }),
  ).toHaveLength(1);
});

test('a plan of thousands of programs', async () => {
  const problems = await problemsOf(
    "export default { program: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => ['p' + i, { command: 'x'.repeat(1000), port: 0 }])) };",
  );
  expect(problems).toEqual([]);
});

test('a package of another version on the disk', async () => {
  const other = join(temporaryFolder(), 'read-plan.mjs');
  writeFileSync(
    other,
    `import { writeSync } from 'node:fs'; writeSync(3, JSON.stringify({ version: '99.0.0', plan: {} }));`,
  );
  const [message] = await problemsOf('', { reader: other });
  expect(message).toContain('99.0.0');
  expect(message).toContain(version);
});

test('a package that is gone from the disk', async () => {
  expect(await problemsOf('', { reader: join(temporaryFolder(), 'read-plan.js') })).toHaveLength(1);
});
