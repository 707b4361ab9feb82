/**
 * `npm run bench [-- options]`: compares graceful-run with bare Node.js, and with the similar tools that are installed. Prints tables. A
 * complete run that is not quick also writes docs/benchmarks.md and docs/charts/, with the raw figures of that page. `--from run.json --from part.json
 * --out docs` renders what earlier runs wrote with `--json`. It measures, and never fails because of a figure.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fullEffort, quickEffort } from './effort.ts';
import { describeMachine } from './machine.ts';
import { measureForeign } from './foreign/measure.ts';
import { measureOutput } from './output/measure.ts';
import { measures } from './measures/index.ts';
import { ownMeasures } from './own/index.ts';
import { tools } from './peers/index.ts';
import { managers, measureLargerPrograms, measurePrograms } from './programs/measure.ts';
import { drawCharts } from './render/charts.ts';
import { renderPage, renderTables } from './render/page.ts';
import type { Figures, Results } from './results.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    tools: { type: 'string' },
    json: { type: 'string' },
    from: { type: 'string', multiple: true },
    out: { type: 'string' },
  },
});
const effort = values.quick ? quickEffort : fullEffort;
const isWhole = values.only === undefined && values.tools === undefined && !values.quick;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const results = values.from === undefined ? await measure() : combine(values.from.map(readResults));
// A partial or quick run must not change the page.
const folder = values.out ?? (isWhole ? new URL('../docs', import.meta.url).pathname : null);
if (folder !== null) writePage(folder, results);
// Exiting also kills processes that did not end when they were told to.
process.exit();

async function measure(): Promise<Results> {
  const chosen = chooseTools();
  let results: Results = {
    machine: describeMachine(),
    isQuick: effort.isQuick,
    turns: effort.peers.turns,
    workers: effort.peers.workers,
    tools: chosen.map((tool) => ({ name: tool.name, version: tool.version(), setup: tool.setup })),
    own: {},
    peers: {},
  };
  const present = chosen.filter((_, at) => results.tools[at]?.version !== null);
  const parts = chooseParts();
  const take = (part: Figures): void => {
    results = {
      ...results,
      ...part,
      own: { ...results.own, ...part.own },
      peers: { ...results.peers, ...part.peers },
    };
    console.log(`${renderTables(part)}\n`);
    // Written after every measurement, so that an interrupted run keeps what it has measured.
    if (values.json !== undefined) writeResults(values.json, results);
  };
  for (const [name, measurePeers] of Object.entries(measures)) {
    if (parts(name)) take({ own: {}, peers: await measurePeers(present, effort.peers) });
  }
  if (parts('programs')) {
    const programs = await measurePrograms(chooseManagers(), effort.programs);
    take({ own: {}, peers: {}, programs });
  }
  if (parts('larger-programs')) {
    const largerPrograms = await measureLargerPrograms(chooseManagers(), effort.programs);
    take({ own: {}, peers: {}, largerPrograms });
  }
  if (parts('foreign')) take({ own: {}, peers: {}, foreign: await measureForeign(effort.foreign) });
  if (parts('output')) take({ own: {}, peers: {}, output: await measureOutput(effort.output) });
  for (const [name, measureOwn] of Object.entries(ownMeasures)) {
    if (parts(`own-${name}`)) take({ own: await measureOwn(effort.own), peers: {} });
  }
  return results;
}

function chooseTools(): typeof tools {
  return toolNames().flatMap((name) => tools.filter((tool) => tool.name === name));
}

function chooseManagers(): typeof managers {
  return toolNames().flatMap((name) => managers.filter((manager) => manager.name === name));
}

function toolNames(): readonly string[] {
  const all = new Set([...tools, ...managers].map(({ name }) => name));
  return choose('tool', values.tools, [...all]);
}

function chooseParts(): (name: string) => boolean {
  const own = Object.keys(ownMeasures).map((name) => `own-${name}`);
  const names = choose('measure', values.only, [
    ...Object.keys(measures),
    'programs',
    'larger-programs',
    'foreign',
    'output',
    ...own,
  ]);
  return (name) => names.includes(name);
}

/** Returns the names in a comma-separated list; all names if there is no list. */
function choose(what: string, list: string | undefined, all: readonly string[]): readonly string[] {
  const names = list?.split(',') ?? all;
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`there is no ${what} '${unknown}': ${all.join(', ')}`);
  return names;
}

function writeResults(path: string, results: Results): void {
  writeFileSync(path, `${JSON.stringify(results)}\n`);
}

/** Reads the results that an earlier run wrote with `--json`. */
function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}

/** Combines the results of several runs. If two have measured the same, the later one counts. The machine and the tools are those of the first. */
function combine(runs: readonly Results[]): Results {
  return runs.reduce((all, { own, peers, programs, largerPrograms, foreign, output }) => ({
    ...all,
    own: { ...all.own, ...own },
    peers: { ...all.peers, ...peers },
    ...(programs === undefined ? {} : { programs }),
    ...(largerPrograms === undefined ? {} : { largerPrograms }),
    ...(foreign === undefined ? {} : { foreign }),
    ...(output === undefined ? {} : { output }),
  }));
}

function writePage(folder: string, results: Results): void {
  const charts = join(folder, 'charts');
  mkdirSync(charts, { recursive: true });
  for (const [name, svg] of Object.entries(drawCharts(results.peers))) writeFileSync(join(charts, name), svg);
  // Written so that later measurements can be rendered together with these.
  writeResults(join(charts, 'figures.json'), results);
  writeFileSync(join(folder, 'benchmarks.md'), renderPage(results));
}
