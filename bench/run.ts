/**
 * `npm run bench [-- --quick] [--json file] [--only part]`: bare Node.js against graceful-run. Prints tables, and
 * a whole run that is not quick writes docs/benchmarks.md. It measures, and judges nothing.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { measureBoot } from './measure-boot.ts';
import { measureFailures } from './measure-failures.ts';
import { measureIdle } from './measure-idle.ts';
import { measureThroughput } from './measure-throughput.ts';
import { renderPage, renderTables } from './render.ts';
import { fullEffort, quickEffort, type Effort, type Results } from './results.ts';

const page = new URL('../docs/benchmarks.md', import.meta.url);

const parts = {
  throughput: async (effort: Effort) => ({ throughput: await measureThroughput(effort) }),
  boot: async (effort: Effort) => ({ boot: await measureBoot(effort) }),
  failures: async (effort: Effort) => ({ failures: await measureFailures(effort) }),
  idle: async (effort: Effort) => ({ idle: await measureIdle(effort) }),
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } },
});
const effort = values.quick ? quickEffort : fullEffort;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

if (values.only === undefined) await runAll();
else await runOne(values.only);

async function runAll(): Promise<void> {
  const results: Results = {
    machine: describeMachine(),
    isQuick: effort.isQuick,
    ...(await show(parts.throughput)),
    ...(await show(parts.boot)),
    ...(await show(parts.failures)),
    ...(await show(parts.idle)),
  };
  // What a quick run shows is no reason to change what the page says.
  if (!effort.isQuick) writeFileSync(page, renderPage(results));
  writeJson(results);
}

async function runOne(name: string): Promise<void> {
  if (!isPart(name)) throw new Error(`there is no part '${name}': ${Object.keys(parts).join(', ')}`);
  writeJson(await show<Partial<Results>>(parts[name]));
}

/** Measures one part and prints its table. */
async function show<Part extends Partial<Results>>(
  measure: (effort: Effort) => Promise<Part>,
): Promise<Part> {
  const part = await measure(effort);
  console.log(`${renderTables(part)}\n`);
  return part;
}

function writeJson(results: Partial<Results>): void {
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

function isPart(name: string): name is keyof typeof parts {
  return name in parts;
}
