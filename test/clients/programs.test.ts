// The programs of docs/programs.md, as they stand there: only the port is another one. 5 reloads each, under clients that open a connection for
// each request and under clients that keep theirs.
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { expectReloads } from './expect-reloads.ts';
import { startFastCgiLoad } from './fastcgi-client.ts';
import { clients, loadsOf, paceMs, type Loads } from './loads.ts';
import { exampleOf, readExamples, type Example } from './program-examples.ts';
import { startExample } from './run-example.ts';

for (const example of readExamples().filter(({ bindsItself }) => !bindsItself))
  test.skipIf(!canRun(example.needs))(
    `${example.name} reloads under load, as docs/programs.md shows it`,
    async () => {
      const { master, port, cwd } = await startExample(example);
      const loads = startLoads(example, port, cwd);
      onTestFinished(async () => {
        await loads.stop();
      });
      await expectReloads(example, master, loads);
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

function startLoads({ protocol }: Example, port: number, cwd: string): Loads {
  if (protocol === 'fastcgi') {
    const common = { port, script: join(cwd, 'index.php'), expected: 'hello', clients, paceMs };
    return loadsOf(
      startFastCgiLoad({ ...common, mode: 'fresh' }),
      startFastCgiLoad({ ...common, mode: 'keepAlive' }),
    );
  }
  const common = { port, clients, paceMs };
  return loadsOf(startLoad({ ...common, mode: 'fresh' }), startLoad({ ...common, mode: 'keepAlive' }));
}
