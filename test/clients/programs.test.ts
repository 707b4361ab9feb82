// The programs of docs/programs.md, as they stand there: only the port is another one. 5 reloads each, under clients that open a connection for
// each request and under clients that keep theirs.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';
import type { Load } from '../helpers/load.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts, type Tally } from '../helpers/tally.ts';
import { startFastCgiLoad } from './fastcgi-client.ts';
import { readExamples, type Example } from './program-examples.ts';

const reloads = 5;
const answersBetween = 10;
const clients = 4;
const paceMs = 5;

/** In CI a program that is not installed is a failure: .ci/run installs them. */
const isRequired = process.env['GRACEFUL_RUN_PROGRAMS'] === 'required';

const folders = (process.env['PATH'] ?? '').split(':').concat('/usr/sbin');
const isInstalled = (command: string): boolean => folders.some((folder) => existsSync(join(folder, command)));

for (const example of readExamples())
  test.skipIf(!isRequired && !example.needs.every(isInstalled))(
    `${example.name} reloads under load, as docs/programs.md shows it`,
    async () => {
      await expectReloads(example);
    },
    60_000,
  );

async function expectReloads(example: Example): Promise<void> {
  const { files, setup, flags, command, mayLose, closesIdle } = example;
  const port = await freePort();
  const onPort = (text: string): string => text.replaceAll('8000', String(port));
  const cwd = temporaryFolder();
  // php-fpm runs scripts as another user.
  chmodSync(cwd, 0o755);
  for (const { path, text } of files) writeFileSync(join(cwd, path), onPort(text));
  const env = { ...process.env, PATH: folders.join(':') };
  for (const line of setup) execFileSync('sh', ['-c', line], { cwd, env });
  const master = runMaster({
    cwd,
    env,
    hasOwnFlags: false,
    name: 'example',
    flags: [...harness, ...flags.map(onPort)],
    command: command.map(onPort),
  });
  await master.serving();
  const [fresh, kept] = loads(example, port, cwd);
  try {
    for (let generation = 2; generation <= reloads + 1; generation += 1) {
      await Promise.all([fresh, kept].map((load) => load.moreAnswers(answersBetween)));
      await master.reload(generation);
      const { from, outcome } = await master.waitFor('workerExited', { generation: generation - 1 });
      expect({ from, outcome }).toMatchObject({ from: 'draining' });
    }
    await Promise.all([fresh, kept].map((load) => load.moreAnswers(answersBetween)));
  } finally {
    await Promise.all([fresh.stop(), kept.stop()]);
  }
  expectAtMost(fresh.tally, reloads * mayLose);
  // Each of them may have been asked at the very moment in which it was closed. A program that still accepts then, and closes what it has accepted, may
  // do the same to the connection that the client opens instead, as often as it gets the CPU first.
  const isTakenAgain = closesIdle && mayLose > 0;
  expectAtMost(kept.tally, isTakenAgain ? Infinity : closesIdle ? clients * reloads : reloads * mayLose);
  if (!closesIdle) expect(kept.tally.closedIdle).toBe(0);
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

const harness = [
  ...['--name', 'example', '--log-level', 'debug', '--log-format', 'json'],
  ...['--probation', '0s', '--startsecs', '300ms'],
];
