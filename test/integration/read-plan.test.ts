// The process that reads a config file, as the master asks it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

test('the plan is frozen, down to its listeners', async () => {
  const file = join(temporaryFolder(), 'a.toml');
  writeFileSync(file, '[program.shop]\ncommand = "x"\nport = "${TEST_PORT}"\n');
  const { plan } = await readPlan(file, { environment: { ...process.env, TEST_PORT: '81' }, reader });
  expect(plan.programs[0]?.listeners[0]).toMatchObject({ port: 81 });
  expect(Object.isFrozen(plan.programs[0]?.listeners[0])).toBe(true);
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
