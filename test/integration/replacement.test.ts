// Workers that are replaced although they serve: too large, too old, or after enough requests. No client notices.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort, whoAnswers } from '../helpers/plain-client.ts';
import { startHost } from '../helpers/run-host.ts';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

async function runFile(
  keys: string,
  command: readonly string[] = [process.execPath, appPath('leaks')],
): Promise<RunningMaster & { readonly at: number }> {
  const at = await freePort();
  const { master } = startHost(`[program.web]\nport = ${at}\ncommand = ${JSON.stringify(command)}\n${keys}`);
  await master.waitFor('generationReady');
  return Object.assign(master, { at });
}

interface Load {
  /** Ends it; resolves with the number of requests, and what has gone wrong. */
  end(): Promise<{ readonly answered: number; readonly mistakes: readonly string[] }>;
}

/** Keep-alive connections that ask again as soon as they are answered, and never connect a second time. */
async function load(port: number, connections: number, path = '/'): Promise<Load> {
  let isOver = false;
  let answered = 0;
  const mistakes: string[] = [];
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.connect(port)));
  const asking = wires.map(async (wire) => {
    while (!isOver) {
      wire.received = '';
      wire.get(path);
      try {
        await wire.until('}');
      } catch (error) {
        mistakes.push(String(error));
        return;
      }
      if (!wire.received.startsWith('HTTP/1.1 200 ')) mistakes.push(wire.received);
      if (wire.received.includes('Connection: close')) mistakes.push('closed');
      answered += 1;
    }
  });
  return {
    async end() {
      isOver = true;
      await Promise.all(asking);
      for (const { socket } of wires) socket.destroy();
      return { answered, mistakes };
    },
  };
}

/** Resolves when so many workers were replaced. */
async function replaced(master: RunningMaster, count: number): Promise<void> {
  for (let nth = 1; nth <= count; nth++) await master.waitFor('workerReplaced', {}, nth);
}

test('workers that leak are replaced one after the other under load: no request fails and no connection closes', async () => {
  const master = await runFile('workers = 2\nmax_memory = "150MB"\nreplace_interval = "0s"\n');
  const clients = await load(master.at, 8, '/leak');
  await replaced(master, 2);
  const { answered, mistakes } = await clients.end();
  expect(mistakes).toEqual([]);
  expect(answered).toBeGreaterThan(400);
  const started = master.all('replacementStarted').slice(0, 2);
  expect(started.map(({ slot }) => slot).sort()).toEqual([0, 1]);
  for (const { cause } of started) {
    expect(cause).toMatchObject({ reason: 'maxMemory', bound: 150 * 1024 ** 2 });
    expect(cause.figure).toBeGreaterThan(cause.bound);
  }
  // The second one did not start before the first one had drained.
  const order = master.events.flatMap(({ event }) =>
    event === 'replacementStarted' || event === 'workerExited' ? [event] : [],
  );
  expect(order.slice(0, 3)).toEqual(['replacementStarted', 'workerExited', 'replacementStarted']);
  expect(master.all('workerFailed')).toEqual([]);
  expect(master.all('generationStarted')).toHaveLength(1);
}, 90_000);

test('workers that are old are replaced under load, in their slots and in the same generation', async () => {
  const master = await runFile('workers = 2\nmax_lifetime = "1s"\nreplace_interval = "100ms"\n');
  const clients = await load(master.at, 8);
  await replaced(master, 3);
  expect((await clients.end()).mistakes).toEqual([]);
  expect(master.all('replacementStarted')[0]).toMatchObject({
    generation: 1,
    cause: { reason: 'maxLifetime', bound: 1_000 },
  });
  expect(await whoAnswers(master.at)).toMatchObject({ generation: 1 });
}, 60_000);

test('a worker that has served enough requests says so once, and is replaced under load', async () => {
  const master = await runFile('max_requests = 500\nreplace_interval = "100ms"\n');
  const first = await whoAnswers(master.at);
  const clients = await load(master.at, 8);
  await replaced(master, 2);
  expect((await clients.end()).mistakes).toEqual([]);
  const [cause] = master.all('replacementStarted').map((event) => event.cause);
  expect(cause).toMatchObject({ reason: 'maxRequests', bound: 500 });
  // Less up to a tenth.
  expect(cause?.figure).toBeGreaterThanOrEqual(450);
  expect(cause?.figure).toBeLessThanOrEqual(500);
  expect((await whoAnswers(master.at)).pid).not.toBe(first.pid);
  const pids = master.all('replacementStarted').map(({ pid }) => pid);
  expect(new Set(pids).size).toBe(pids.length);
}, 60_000);

test('if the new worker fails, the old one serves on, and it is tried again', async () => {
  const broken = join(temporaryFolder(), 'broken');
  const master = await runFile('max_lifetime = "1s"\nreplace_interval = "100ms"\n', [
    'sh',
    '-c',
    `[ -e ${broken} ] && exit 9; exec ${process.execPath} ${appPath('leaks')}`,
  ]);
  writeFileSync(broken, '');
  const old = await whoAnswers(master.at);
  const failed = await master.waitFor('replacementFailed');
  expect(failed.delayMs).toBeGreaterThanOrEqual(800);
  expect(await whoAnswers(master.at)).toEqual(old);
  rmSync(broken);
  await master.waitFor('workerReplaced');
  expect((await whoAnswers(master.at)).pid).not.toBe(old.pid);
}, 60_000);

test('limits can be given on the command line', async () => {
  const master = runMaster({
    flags: ['--max-lifetime', '1s', '--max-requests', '1000000', '--max-memory', '4GB'],
  });
  await master.serving();
  expect(await master.waitFor('workerReplaced')).toMatchObject({ cause: { reason: 'maxLifetime' } });
});
