/**
 * `npm run soak [-- --reloads n]`: many reloads in a row under every kind of load at once. Exits 1 if a request fails, if a connection is closed
 * that can be kept, or if the master leaks memory or descriptors. Prints what it counted.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startLoad, type LoadOptions } from '../test/helpers/strict-client.ts';
import type { Load } from '../test/helpers/load.ts';
import { failuresOf } from '../test/helpers/tally.ts';
import { startClient } from './clients/client-process.ts';
import { startManaged, type RunningMaster } from './own/processes.ts';
import { residentBytes } from './proc.ts';
import { median } from './statistics.ts';

const { values } = parseArgs({ options: { reloads: { type: 'string', default: '500' } } });
const reloads = Number(values.reloads);
if (!Number.isSafeInteger(reloads) || reloads < 10)
  throw new Error('--reloads must be a whole number of at least 10');

/** The maximum growth of the master's memory between the second and the last tenth of the reloads. */
const flatMb = 4;
const maxMs = 7_200_000;
const webSockets = 20;

interface SoakLoad {
  readonly name: string;
  /** True if the client's connections must not be closed. */
  readonly isKept: boolean;
  readonly options: Omit<LoadOptions, 'port'>;
}

const kinds: readonly SoakLoad[] = [
  { name: 'keep-alive', isKept: true, options: { mode: 'keepAlive', clients: 8, paceMs: 10 } },
  { name: 'keep-alive, seldom', isKept: true, options: { mode: 'keepAlive', clients: 20, paceMs: 900 } },
  { name: 'fresh', isKept: false, options: { mode: 'fresh', clients: 4, paceMs: 10 } },
  {
    name: 'POST of 20 kB',
    isKept: true,
    options: { mode: 'keepAlive', clients: 4, paceMs: 10, body: 'x'.repeat(20_000) },
  },
  { name: 'slow, 1.5 s', isKept: true, options: { mode: 'keepAlive', clients: 4, path: '/slow' } },
];

interface Sample {
  readonly descriptors: number;
  readonly megabytes: number;
}

function sample({ pid }: RunningMaster): Sample {
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, megabytes: residentBytes(pid) / 1e6 };
}

async function reloadOften(master: RunningMaster): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let generation = 2; generation <= reloads + 1; generation += 1) {
    process.kill(master.pid, 'SIGHUP');
    await master.log.waitFor('generationReady', { generation });
    // Slow requests keep an old generation for a while. Only a limited number of old generations may exist at once.
    if (generation > 3) await master.log.waitFor('workerExited', { generation: generation - 3 });
    samples.push(sample(master));
    if (samples.length % 50 === 0) {
      const { descriptors, megabytes } = sample(master);
      console.error(`${samples.length} reloads: ${descriptors} descriptors, ${megabytes.toFixed(1)} MB`);
    }
  }
  return samples;
}

function judge(samples: readonly Sample[]): readonly string[] {
  const tenth = Math.floor(samples.length / 10);
  const early = samples.slice(tenth, 2 * tenth);
  const late = samples.slice(-tenth);
  const middle = (part: readonly Sample[], of: keyof Sample): number => median(part.map((one) => one[of]));
  const grown = middle(late, 'megabytes') - middle(early, 'megabytes');
  console.log(
    `master: ${middle(early, 'descriptors')} descriptors, then ${middle(late, 'descriptors')}; ` +
      `${middle(early, 'megabytes').toFixed(1)} MB, then ${middle(late, 'megabytes').toFixed(1)}`,
  );
  return [
    ...(middle(late, 'descriptors') > middle(early, 'descriptors') ? ['the master leaks descriptors'] : []),
    ...(grown > flatMb ? [`the master's memory has grown by ${grown.toFixed(1)} MB`] : []),
  ];
}

function judgeLoad({ name, isKept }: SoakLoad, { tally }: Load): readonly string[] {
  const failed = failuresOf(tally);
  const closed = tally.closedAsAnnounced + tally.closedIdle;
  console.log(
    `${name}: ${tally.answered} answered, ${failed} failed${isKept ? `, ${closed} connections closed` : ''}`,
  );
  return [
    ...(failed > 0 ? [`${name}: ${failed} failed, such as ${tally.examples.join('; ')}`] : []),
    ...(isKept && closed > 0 ? [`${name}: ${closed} connections closed`] : []),
  ];
}

async function run(): Promise<readonly string[]> {
  const master = await startManaged('serve.cjs', ['--host', '127.0.0.1', '--probation', '100ms'], {
    BENCH_WEBSOCKETS: '1',
  });
  const { port } = master;
  const client = await startClient('websockets.mjs');
  const loads = kinds.map((kind) => ({ kind, load: startLoad({ port, maxMs, ...kind.options }) }));
  try {
    const opened = client.next();
    client.tell({ url: `ws://127.0.0.1:${port}/ws`, clients: webSockets, everyMs: 100 });
    await opened;
    const samples = await reloadOften(master);
    const cut = master.log.all('workerExited').reduce((sum, event) => sum + (event.cut ?? 1), 0);
    await Promise.all(loads.map(({ load }) => load.stop()));
    const reported = client.next();
    client.tell('stop');
    const seen = (await reported) as Readonly<Record<string, number>>;
    console.log(`WebSockets: ${JSON.stringify(seen)}`);
    const { closed, sent, echoed, outOfOrder, lostState } = seen;
    return [
      ...loads.flatMap(({ kind, load }) => judgeLoad(kind, load)),
      ...judge(samples),
      ...(closed === 0 && sent === echoed && outOfOrder === 0 && lostState === 0
        ? []
        : ['WebSockets: see above']),
      ...(cut > 0 ? [`${cut} connections cut`] : []),
    ];
  } finally {
    await Promise.all(loads.map(({ load }) => load.stop()));
    client.end();
    await master.stop();
  }
}

const startedAt = performance.now();
const problems = await run();
console.log(`${reloads} reloads in ${Math.round((performance.now() - startedAt) / 1_000)} s`);
for (const problem of problems) console.log(`FAILED: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
