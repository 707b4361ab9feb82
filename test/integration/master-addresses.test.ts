// Without --host a program listens where it asks to listen, and nowhere else; with it, where the operator says.
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, envFileFlag, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

interface Seen {
  readonly server: number;
  readonly generation: number;
  readonly remoteAddress: string;
  readonly remoteFamily: string;
  readonly localAddress: string;
}

type Listen = readonly { readonly host?: string; readonly ipv6Only?: boolean }[];

/** A master without --host, and the way to change what the next release asks for. */
function run(
  listen: Listen,
  flags: readonly string[] = [],
): { readonly master: RunningMaster; readonly release: (next: Listen) => void } {
  const file = join(temporaryFolder(), 'env');
  const release = (next: Listen): void => {
    writeFileSync(file, `LISTEN=${JSON.stringify(next)}\n`);
  };
  release(listen);
  const name = 'addresses';
  const own = ['--port', '0', '--name', name, '--log-level', 'debug', '--log-format', 'json'];
  const master = runMaster({
    hasOwnFlags: false,
    name,
    flags: [...own, envFileFlag, file, ...flags],
    command: app('listens-on'),
  });
  return { master, release };
}

function ask(port: number, host: string, agent: http.Agent | false = false): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve(JSON.parse(body) as Seen);
      });
    });
    request.on('error', reject);
  });
}

function isRefused(port: number, host: string): Promise<boolean> {
  return ask(port, host).then(
    () => false,
    (error: unknown) => error instanceof Error && error.message.includes('ECONNREFUSED'),
  );
}

function oneConnection(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => {
    agent.destroy();
  });
  return agent;
}

test('a program that asks for 0.0.0.0 is reached over IPv4 alone, sees IPv4 addresses, in every generation', async () => {
  const { master } = run([{ host: '0.0.0.0' }]);
  const port = await master.serving();
  const agent = oneConnection();
  expect(await ask(port, '127.0.0.1', agent)).toMatchObject({
    generation: 1,
    remoteAddress: '127.0.0.1',
    remoteFamily: 'IPv4',
    localAddress: '127.0.0.1',
  });
  await master.waitFor('listenerBound', { host: '0.0.0.0' });
  await eventually('IPv6 is refused', () => isRefused(port, '::1'));
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1, migrated: 1, cut: 0 });
  expect(await ask(port, '127.0.0.1', agent)).toMatchObject({ generation: 2, remoteAddress: '127.0.0.1' });
  await expect(ask(port, '::1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect((await master.status()).listeners).toEqual([
    { name: 'default', type: 'tcp', host: '0.0.0.0', port, path: null, reusePort: false },
  ]);
  expect([...master.all('wideListen'), ...master.all('undeclaredListen')]).toEqual([]);
});

test('clients that queue while the first generation starts are answered, with the addresses that the program asked for', async () => {
  const { master } = run([{ host: '0.0.0.0' }], ['--workers', '2']);
  await master.waitFor('listenerBound', { host: '::' });
  const port = await master.port();
  const queued = Array.from({ length: 40 }, () => ask(port, '127.0.0.1'));
  const answers = await Promise.all(queued);
  expect(new Set(answers.map(({ remoteAddress }) => remoteAddress))).toEqual(new Set(['127.0.0.1']));
  // Both workers have looked at what had queued there, and one of them after the other was done.
  await eventually('IPv6 is refused', () => isRefused(port, '::1'));
  for (let count = 0; count < 20; count += 1) expect(await isRefused(port, '::1')).toBe(true);
});

test('a program that asks for no address is reached over both families', async () => {
  const { master } = run([{}]);
  const port = await master.serving();
  expect(await ask(port, '127.0.0.1')).toMatchObject({ remoteAddress: '::ffff:127.0.0.1' });
  expect(await ask(port, '::1')).toMatchObject({ remoteAddress: '::1' });
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  expect(await ask(port, '::1')).toMatchObject({ generation: 2 });
  expect(master.all('listenerBound')).toHaveLength(1);
});

test('two servers of a program on one port get the connections to their own address, moved ones too', async () => {
  const { master } = run([{ host: '127.0.0.1' }, { host: '127.0.0.2' }]);
  const port = await master.serving();
  const agents = [oneConnection(), oneConnection()];
  const both = (): Promise<Seen[]> =>
    Promise.all(agents.map((agent, index) => ask(port, `127.0.0.${index + 1}`, agent)));
  expect((await both()).map(({ server }) => server)).toEqual([0, 1]);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1, migrated: 2, cut: 0 });
  expect((await both()).map(({ server, generation }) => [server, generation])).toEqual([
    [0, 2],
    [1, 2],
  ]);
  await expect(ask(port, '127.0.0.3')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('two servers may have a port for IPv4 and for IPv6 alone', async () => {
  const { master } = run([{ host: '0.0.0.0' }, { host: '::', ipv6Only: true }]);
  const port = await master.serving();
  expect(await ask(port, '127.0.0.1')).toMatchObject({ server: 0 });
  expect(await ask(port, '::1')).toMatchObject({ server: 1 });
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  expect(await ask(port, '127.0.0.1')).toMatchObject({ server: 0, generation: 2 });
  expect(await ask(port, '::1')).toMatchObject({ server: 1, generation: 2 });
});

test('the second server that asks for the same address fails as it would without a master', async () => {
  const { master } = run([{ host: '127.0.0.1' }, { host: '127.0.0.1' }]);
  await master.waitForLine('EADDRINUSE: address already in use 127.0.0.1');
  await master.waitFor('generationFailed', { generation: 1 });
});

test('a port that was one address stays it when a later release asks for more, and a warning says so', async () => {
  const { master, release } = run([{ host: '127.0.0.1' }]);
  const port = await master.serving();
  release([{}]);
  await master.reload(2);
  await master.waitFor('narrowListen', { generation: 2, address: `*:${port}` });
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  expect(await ask(port, '127.0.0.1')).toMatchObject({ generation: 2 });
});

test('with --host the operator decides: a program that asks for less gets the listener, and a warning names the option', async () => {
  const { master } = run([{ host: '0.0.0.0' }], ['--host', '::']);
  const port = await master.serving();
  await master.waitFor('wideListen', { address: `0.0.0.0:${port}` });
  expect(await ask(port, '::1')).toMatchObject({ server: 0 });
});

test('with --host two servers on different addresses never share the listener: the second one fails', async () => {
  const { master } = run([{ host: '127.0.0.1' }, { host: '127.0.0.2' }], ['--host', '::']);
  await master.waitForLine('EADDRINUSE: address already in use 127.0.0.2');
  await master.waitFor('generationFailed', { generation: 1 });
});

test('an address that the machine does not have fails as it would without a master', async () => {
  const { master } = run([{ host: '192.0.2.1' }]);
  await master.waitForLine('EADDRNOTAVAIL');
  await master.waitFor('generationFailed', { generation: 1 });
});

test('nobody else can bind the port, before and after the program has asked for its address', async () => {
  const { master } = run([{ host: '127.0.0.1' }]);
  const port = await master.serving();
  const code = await new Promise((resolve) => {
    const other = net.createServer().on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
    other.listen(port, '127.0.0.1', () => {
      other.close();
      resolve('listens');
    });
  });
  expect(code).toBe('EADDRINUSE');
});

test.each(['before it is ready', 'while it serves'])(
  'a server that takes the port of one that was closed, %s, knows its address at once',
  async (when) => {
    const master = runMaster({ command: app('listens-twice', when) });
    await master.serving();
    await master.waitForLine(`{"address":"127.0.0.1","family":"IPv4","port":${await master.port()}}`);
  },
);
