// What a worker is given: the listener, the environment of every protocol, a process group of its own.
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { maxHeaderSize } from 'node:http';
import { expect, test } from 'vitest';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { appPath, runMaster, temporaryFolder } from '../helpers/run-master.ts';

async function environmentAt(port: number): Promise<Record<string, string>> {
  return JSON.parse((await get(port, '/environment')).body) as Record<string, string>;
}

test('a worker finds the listener at fd 3', async () => {
  const master = runMaster();
  const port = await master.serving();
  const { pid } = await whoAnswers(port);
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/3`)) ?? [];
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`0100007F:${hexPort} 00000000:0000 0A`));
  expect(listening).toHaveLength(1);
  expect(listening[0]?.trim().split(/\s+/)[9]).toBe(inode);
});

test('a worker finds the variables of every protocol', async () => {
  const master = runMaster({
    env: {
      LISTEN_FDS: '7',
      LISTEN_PID: '1',
      EINHORN_FD_3: '9',
      SERVER_STARTER_PORT: 'old',
      GRACEFUL_RUN_WORKER: '5',
    },
  });
  const port = await master.serving();
  const { pid } = await whoAnswers(port);
  const environment = await environmentAt(port);
  expect(environment).toMatchObject({
    LISTEN_FDS: '1',
    LISTEN_PID: String(pid),
    LISTEN_FDNAMES: 'default',
    SERVER_STARTER_PORT: `127.0.0.1:${port}=3`,
    SERVER_STARTER_GENERATION: '1',
    EINHORN_FD_0: '3',
    EINHORN_FD_COUNT: '1',
    PORT: String(port),
    HOST: '127.0.0.1',
    GRACEFUL_RUN_GENERATION: '1',
    GRACEFUL_RUN_WORKER: '0',
  });
  // What was said to the master is not said to its workers.
  expect(environment).not.toHaveProperty('EINHORN_FD_3');
});

test('HOST of the operator is left alone, and PORT is changed with a warning', async () => {
  const master = runMaster({ env: { HOST: 'shop.example.com', PORT: '1' } });
  const port = await master.serving();
  expect(await environmentAt(port)).toMatchObject({ HOST: 'shop.example.com', PORT: String(port) });
  await master.reload(2);
  expect(master.all('portChanged')).toMatchObject([{ source: 'environment', port }]);
});

test('a program that is not Node.js finds its own pid in LISTEN_PID, and its listeners as JSON', async () => {
  const file = join(temporaryFolder(), 'environment');
  const script = `{ echo "$$"; echo "$LISTEN_PID"; echo "$GRACEFUL_RUN_LISTENERS"; echo "$NODE_OPTIONS"; } > "${file}"; exec "${process.execPath}" "$@"`;
  const master = runMaster({ command: ['sh', '-c', script, 'sh', appPath('serves')] });
  const port = await master.serving();
  const [shell, listenPid, listeners, nodeOptions] = readFileSync(file, 'utf8').split('\n');
  expect(listenPid).toBe(shell);
  expect(Number(shell)).toBe(await master.workerPid(1));
  expect(JSON.parse(listeners ?? '')).toEqual([
    {
      name: 'default',
      fd: 3,
      type: 'tcp',
      host: '127.0.0.1',
      port,
      backlog: 4096,
      inode: expect.any(Number) as number,
    },
  ]);
  expect(nodeOptions).toMatch(/^--require /);
});

test('a worker leads a process group and a session of its own', async () => {
  const master = runMaster();
  const { pid } = await whoAnswers(await master.serving());
  const [, , group, session] =
    /^.*\) (\S) \d+ (\d+) (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  expect([Number(group), Number(session)]).toEqual([pid, pid]);
});

test('what was in NODE_OPTIONS works, and is all that the application finds there', async () => {
  const option = '--max-http-header-size=20000';
  const master = runMaster({ env: { NODE_OPTIONS: option } });
  const port = await master.serving();
  expect(await environmentAt(port)).toMatchObject({ NODE_OPTIONS: option });
  const long = `/${'x'.repeat(maxHeaderSize + 1_000)}`;
  expect((await get(port, long)).status).toBe(200);
});

test('a worker runs in the folder that --cwd names', async () => {
  const folder = temporaryFolder();
  const master = runMaster({ flags: ['--cwd', folder] });
  expect((await whoAnswers(await master.serving())).cwd).toBe(realpathSync(folder));
});
