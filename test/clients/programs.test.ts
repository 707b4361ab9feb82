// The programs of docs/programs.md, as they stand there: only the port is another one. 5 reloads each, under clients that open a connection for
// each request and under clients that keep theirs.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Load } from '../helpers/load.ts';
import { get } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts, type Tally } from '../helpers/tally.ts';
import { startFastCgiLoad } from './fastcgi-client.ts';
import { exampleOf, readExamples, type Example } from './program-examples.ts';
import { startExample } from './run-example.ts';

const reloads = 5;
const answersBetween = 10;
const clients = 4;
const paceMs = 5;

for (const example of readExamples())
  test.skipIf(!canRun(example.needs))(
    `${example.name} reloads under load, as docs/programs.md shows it`,
    async () => {
      await expectReloads(example);
    },
    60_000,
  );

/** What the page says beside its examples. */
const variants = [
  withoutAddedLines(exampleOf('uvicorn')),
  { ...exampleOf('nginx'), name: 'nginx in a config file', flags: [], command: [] },
];

for (const example of variants)
  test.skipIf(!canRun(example.needs))(`${example.name} reloads, as docs/programs.md says`, async () => {
    const { master, port } = await startExample(example);
    expect((await get(port)).body).toBe('hello');
    await master.reload(2);
    const { from, outcome } = await master.waitFor('workerExited', { generation: 1 });
    expect({ from, outcome }).toEqual({ from: 'draining', outcome: example.outcome });
    expect((await get(port)).body).toBe('hello');
  });

function withoutAddedLines(example: Example): Example {
  const files = example.files.map(({ path, text }) => ({
    path,
    text: text.slice(text.indexOf('async def app')),
  }));
  const command = ['uvicorn', '--fd', '{fd}', 'app:app'];
  return { ...example, name: 'uvicorn without added lines', files, command };
}

async function expectReloads(example: Example): Promise<void> {
  const { closesIdle } = example;
  const { master, port, cwd } = await startExample(example);
  const [fresh, kept] = loads(example, port, cwd);
  try {
    for (let generation = 2; generation <= reloads + 1; generation += 1) {
      await Promise.all([fresh, kept].map((load) => load.moreAnswers(answersBetween)));
      // Only a reload ends them.
      if (closesIdle && generation === 2) expect(kept.tally.connections).toBeLessThanOrEqual(clients);
      await master.reload(generation);
      const { from, outcome } = await master.waitFor('workerExited', { generation: generation - 1 });
      expect({ from, outcome }).toMatchObject({ from: 'draining' });
    }
    await Promise.all([fresh, kept].map((load) => load.moreAnswers(answersBetween)));
  } finally {
    await Promise.all([fresh.stop(), kept.stop()]);
  }
  expectAtMost(fresh.tally, 0);
  // Each of them may have been asked at the very moment in which it was closed.
  expectAtMost(kept.tally, closesIdle ? clients * reloads : 0);
  if (closesIdle) expect(endedUnannounced(kept.tally)).toBeGreaterThan(0);
  else {
    expect(kept.tally.closedIdle).toBe(0);
    expect(kept.tally.closedAsAnnounced).toBeGreaterThan(0);
  }
}

/** Connections that were closed without `Connection: close`: while they were idle, or when the client had just written a request. */
function endedUnannounced({ closedIdle, reset, unanswered }: Tally): number {
  return closedIdle + reset + unanswered;
}

/** Connections that end before the answer begins, at most so many; and no other failure. */
function expectAtMost(tally: Tally, lost: number): void {
  const { reset = 0, unanswered = 0, ...others } = failureCounts(tally);
  expect(others, tally.examples.join('\n')).toEqual({});
  expect(reset + unanswered, tally.examples.join('\n')).toBeLessThanOrEqual(lost);
}

function loads({ protocol }: Example, port: number, cwd: string): readonly [Load, Load] {
  if (protocol === 'fastcgi') {
    const common = { port, script: join(cwd, 'index.php'), expected: 'hello', clients, paceMs };
    return [
      startFastCgiLoad({ ...common, mode: 'fresh' }),
      startFastCgiLoad({ ...common, mode: 'keepAlive' }),
    ];
  }
  const common = { port, clients, paceMs };
  return [startLoad({ ...common, mode: 'fresh' }), startLoad({ ...common, mode: 'keepAlive' })];
}
