// Listeners that are given by a host name: every address of the name is listened on.
import http from 'node:http';
import type net from 'node:net';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { app, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

const both = ['127.0.0.1', '::1'] as const;

interface Answer {
  readonly server: number;
  readonly generation: number;
  readonly localAddress: string;
  readonly LISTEN_FDS: string;
  readonly LISTEN_FDNAMES: string;
}

function ask(host: string, port: number, agent: http.Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get({ host, port, agent, signal: AbortSignal.timeout(8_000) }, (response) => {
        let body = '';
        response.on('data', (text: Buffer) => (body += text.toString()));
        response.on('end', () => {
          resolve(JSON.parse(body) as Answer);
        });
      })
      .on('error', reject);
  });
}

async function askBoth(port: number): Promise<readonly Pick<Answer, 'server' | 'localAddress'>[]> {
  const answers = await Promise.all(both.map((host) => ask(host, port)));
  return answers.map(({ server, localAddress }) => ({ server, localAddress }));
}

function run(listen: readonly unknown[][], flags: readonly string[] = []): RunningMaster {
  return runMaster({
    hasOwnFlags: false,
    name: 'app',
    flags: ['--name', 'app', '--log-level', 'debug', '--log-format', 'json', '--probation', '0s', ...flags],
    command: app('listens-as-told'),
    env: { LISTEN: JSON.stringify(listen) },
  });
}

const byOne = both.map((localAddress) => ({ server: 0, localAddress }));

test.each([
  ['listen(port)', ['PORT']],
  ["listen(port, 'localhost')", ['PORT', 'localhost']],
  ["listen({ port, host: 'localhost' })", [{ port: 'PORT', host: 'localhost' }]],
  ["listen({ port, host: '127.0.0.1' })", [{ port: 'PORT', host: '127.0.0.1' }]],
  ["listen(port, '::1')", ['PORT', '::1']],
])('a server that calls %s serves every address of localhost, before and after a reload', async (_, args) => {
  const master = run([args], ['--listen', 'localhost:0']);
  await master.waitFor('generationReady', { generation: 1 });
  const port = await master.port();
  expect(master.all('listenerBound').map(({ listener, host, port: own }) => [listener, host, own])).toEqual([
    ['default', '127.0.0.1', port],
    ['default/2', '::1', port],
  ]);
  expect((await master.status()).listeners).toMatchObject([
    { name: 'default', host: '127.0.0.1', port },
    { name: 'default/2', host: '::1', port },
  ]);
  expect(await askBoth(port)).toEqual(byOne);
  expect(await ask('::1', port)).toMatchObject({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'default:default' });
  await master.reload(2);
  expect(await askBoth(port)).toEqual(byOne);
  expect(master.all('narrowListen')).toEqual([]);
});

test('two servers, each for an address of the name, keep apart', async () => {
  const master = run(
    [
      ['PORT', '::1'],
      ['PORT', '127.0.0.1'],
    ],
    ['--host', 'localhost', '--port', '0'],
  );
  await master.waitFor('generationReady', { generation: 1 });
  const port = await master.port();
  expect(await askBoth(port)).toEqual([
    { server: 1, localAddress: '127.0.0.1' },
    { server: 0, localAddress: '::1' },
  ]);
});

test('a second server on a listener that one has for every address gets EADDRINUSE', async () => {
  const master = run([['PORT'], ['PORT', '::1']], ['--listen', 'localhost:0']);
  await master.waitFor('generationReady', { generation: 1 });
  await master.waitForLine('server 1: EADDRINUSE');
  expect(await askBoth(await master.port())).toEqual(byOne);
});

test('idle connections to every address move to the next generation, and stay open', async () => {
  const master = run([['PORT', 'localhost']], ['--listen', 'localhost:0']);
  await master.waitFor('generationReady', { generation: 1 });
  const port = await master.port();
  const agents = both.map(() => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  onTestFinished(() => {
    for (const agent of agents) agent.destroy();
  });
  const sockets = new Set<net.Socket>();
  const askAll = async (): Promise<readonly Answer[]> =>
    Promise.all(both.map((host, at) => ask(host, port, agents[at])));
  for (const agent of agents) agent.on('free', (socket: net.Socket) => sockets.add(socket));
  await askAll();
  await master.reload(2);
  const { pid } = await master.waitFor('workerExited', { generation: 1 });
  expect(pid).not.toBeNull();
  expect(await askAll()).toMatchObject(
    both.map((localAddress) => ({ generation: 2, server: 0, localAddress })),
  );
  expect(sockets.size).toBe(2);
});

test('a failed release leaves the old generation accepting on every address', async () => {
  const release = join(temporaryFolder(), 'app.cjs');
  writeFileSync(
    release,
    `if (process.env.GRACEFUL_RUN_GENERATION === '2') setTimeout(() => process.exit(3), 600);
    require(${JSON.stringify(app('listens-as-told')[1])});`,
  );
  const master = runMaster({
    hasOwnFlags: false,
    name: 'app',
    flags: [
      ...['--name', 'app', '--log-level', 'debug', '--log-format', 'json', '--probation', '20s'],
      ...['--listen', 'localhost:0'],
    ],
    command: [process.execPath, release],
    env: { LISTEN: '[["PORT"]]' },
  });
  await master.waitFor('generationReady', { generation: 1 });
  const port = await master.port();
  master.signal('SIGHUP');
  await master.waitFor('workerPaused', { generation: 1 });
  await master.waitFor('generationRolledBack', { generation: 2 });
  const answers = await Promise.all([...both, ...both].map((host) => ask(host, port)));
  expect(answers.map(({ generation }) => generation)).toEqual([1, 1, 1, 1]);
});

const unshares = ((): boolean => {
  try {
    execFileSync('unshare', ['-rmn', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** A network of its own, in which `prepare` has been run. */
function inNetwork(prepare: string, flags: readonly string[]): RunningMaster {
  return runMaster({
    through: ['unshare', '-rmn', 'sh', '-ec', `ip link set lo up; ${prepare}; exec "$@"`, 'sh'],
    hasOwnFlags: false,
    name: 'app',
    flags: ['--name', 'app', '--log-level', 'debug', '--log-format', 'json', ...flags],
    command: app('listens-as-told'),
    env: { LISTEN: '[["PORT"]]' },
  });
}

test.runIf(mayRun(unshares))('an address that this machine does not have is left out, and said', async () => {
  const master = inNetwork('sysctl -qw net.ipv6.conf.all.disable_ipv6=1', ['--listen', 'localhost:4000']);
  expect(await master.waitFor('addressLeftOut')).toMatchObject({
    host: 'localhost',
    address: '::1',
    port: 4000,
  });
  await master.waitFor('generationReady', { generation: 1 });
  expect(master.all('listenerBound')).toMatchObject([{ listener: 'default', host: '127.0.0.1' }]);
});

test.runIf(mayRun(unshares))('every address that the resolver knows for a name is listened on', async () => {
  const hosts = join(temporaryFolder(), 'hosts');
  writeFileSync(hosts, '127.0.0.2 shop.test\n127.0.0.3 shop.test\n');
  const master = inNetwork(`mount --bind ${hosts} /etc/hosts`, ['--listen', 'shop.test:4000']);
  await master.waitFor('generationReady', { generation: 1 });
  expect(master.all('listenerBound').map(({ host }) => host)).toEqual(['127.0.0.2', '127.0.0.3']);
});

test.runIf(mayRun(unshares))(
  'a name of which this machine has no address is an error that lists them',
  async () => {
    const hosts = join(temporaryFolder(), 'hosts');
    writeFileSync(hosts, '192.0.2.1 shop.test\n192.0.2.2 shop.test\n');
    const master = inNetwork(`mount --bind ${hosts} /etc/hosts`, ['--listen', 'shop.test:4000']);
    expect(await master.exited).toMatchObject({ code: 1 });
    expect(master.output).toContain('192.0.2.1, 192.0.2.2');
  },
);
