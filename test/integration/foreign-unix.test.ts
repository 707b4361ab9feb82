// UNIX sockets as listeners of programs that are not Node.js.
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const python = ['python3', appPath('serves-by-name').replace(/cjs$/, 'py')];

interface Answer {
  readonly pid: number;
  /** Null: none was told. */
  readonly name: string | null;
  readonly at: string | readonly [string, number];
  readonly told: readonly string[];
}

function run(listen: readonly string[], told: readonly string[], workers = 1): RunningMaster {
  return runMaster({
    hasOwnFlags: false,
    name: 'app',
    command: [...python, ...told],
    flags: [
      ...['--listen', ...listen, '--name', 'app', '--workers', String(workers), '--startsecs', '300ms'],
      ...['--log-level', 'debug', '--log-format', 'json', '--probation', '0s'],
    ],
  });
}

async function ask(at: { readonly socketPath: string } | { readonly port: number }): Promise<Answer> {
  const request = http.get({ host: '127.0.0.1', ...at, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return JSON.parse(body) as Answer;
}

test('a program that is told {fd} and {path} is reloaded under new connections without a failed request', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  const master = run([`unix:${path}`], ['{fd}', '{path}'], 2);
  await master.waitFor('generationReady', { generation: 1 });
  const inode = lstatSync(path).ino;
  expect(await ask({ socketPath: path })).toMatchObject({ name: null, at: path, told: ['3', path] });
  const load = startLoad({ port: 0, socketPath: path, mode: 'fresh', clients: 8 });
  for (const generation of [2, 3, 4]) {
    await load.moreAnswers(50);
    await master.reload(generation);
    for (const slot of [0, 1]) await master.waitFor('workerExited', { generation: generation - 1, slot });
  }
  await load.moreAnswers(50);
  expect(failureCounts(await load.stop())).toEqual({});
  expect(master.all('workerExited').map(({ outcome }) => outcome.code)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(lstatSync(path).ino).toBe(inode);
});

test('LISTEN_FDNAMES names several listeners in the order of their descriptors, of TCP and UNIX', async () => {
  const folder = temporaryFolder();
  const [first, last] = [join(folder, 'first.sock'), join(folder, 'last.sock')];
  const listen = [`unix:${first}`, 'admin=127.0.0.1:0', '127.0.0.1:0', `metrics=unix:${last}`];
  const master = run(listen, ['{path:metrics}', '{port:admin}']);
  await master.waitFor('generationReady', { generation: 1 });
  const bound = master.all('listenerBound');
  expect(bound.map(({ listener }) => listener)).toEqual(['default', 'admin', 'port-0', 'metrics']);
  const ports = bound.map(({ port }) => port ?? 0);
  const told = [last, String(ports[1])];
  for (const generation of [1, 2]) {
    if (generation > 1) {
      await master.reload(generation);
      await master.waitFor('workerExited', { generation: 1 });
    }
    const pid = await master.workerPid(generation);
    expect(await ask({ socketPath: first })).toEqual({ pid, name: 'default', at: first, told });
    expect(await ask({ port: ports[1] ?? 0 })).toMatchObject({
      pid,
      name: 'admin',
      at: ['127.0.0.1', ports[1]],
    });
    expect(await ask({ port: ports[2] ?? 0 })).toMatchObject({
      pid,
      name: 'port-0',
      at: ['127.0.0.1', ports[2]],
    });
    expect(await ask({ socketPath: last })).toMatchObject({ pid, name: 'metrics', at: last });
  }
});
