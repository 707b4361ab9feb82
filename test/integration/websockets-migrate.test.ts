// WebSockets of a server with the adapter: they move to the new worker, and nobody notices. Nothing is lost, doubled or reordered.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { CountingClient } from '../helpers/counting-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';

const server = new URL('../fixtures/websockets/counts.mjs', import.meta.url).pathname;

function run(env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): RunningMaster {
  return runMaster({ command: [process.execPath, server], env, flags });
}

async function exitOf(master: RunningMaster, generation: number): Promise<object> {
  const { outcome, migrated, cut } = await master.waitFor('workerExited', { generation });
  return { code: outcome.code, migrated, cut };
}

/** The worker has read by then whatever had been sent before on other connections. */
async function roundTrips(client: CountingClient): Promise<void> {
  await client.ask();
  await client.ask();
}

function expectNoMistake(...clients: readonly CountingClient[]): void {
  for (const client of clients) {
    expect(client.mistakes).toEqual([]);
    client.ws.terminate();
  }
}

describe.each(['ws', 'ws-oldest'])('of %s', (WS) => {
  it('50 connections that talk both ways live through five reloads', async () => {
    const master = run({ WS });
    const port = await master.serving();
    const clients = await Promise.all(Array.from({ length: 50 }, () => CountingClient.connect(port)));
    await Promise.all(clients.map((client) => client.ask({ ask: 'ticks' })));
    const talk = setInterval(() => {
      for (const client of clients) client.send();
    }, 20);
    for (const generation of [2, 3, 4, 5, 6]) {
      await master.reload(generation);
      expect(await exitOf(master, generation - 1)).toEqual({ code: 0, migrated: 50, cut: 0 });
    }
    clearInterval(talk);
    await Promise.all(clients.map((client) => client.ask({ ask: 'noTicks' })));
    for (const client of clients) {
      expect(client.isAnswered).toBe(true);
      expect(new Set(client.said.map(({ generation }) => generation))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    }
    expectNoMistake(...clients);
  });

  it('a compressed connection moves when no context is taken over, with its windows', async () => {
    const options = { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true };
    const master = run({ WS, DEFLATE: JSON.stringify({ ...options, serverMaxWindowBits: 10 }) });
    const port = await master.serving();
    const clients = [
      await CountingClient.connect(port, { perMessageDeflate: { threshold: 0 } }),
      await CountingClient.connect(port, { perMessageDeflate: { threshold: 0, clientMaxWindowBits: 9 } }),
    ];
    for (const generation of [1, 2, 3]) {
      if (generation > 1) await master.reload(generation);
      if (generation > 1) expect(await exitOf(master, generation - 1)).toMatchObject({ migrated: 2 });
      for (const client of clients) {
        const who = { extensions: 'permessage-deflate', generation };
        expect(await client.ask({ ask: 'who' })).toMatchObject(who);
        for (const bytes of [10_000, 3_000]) {
          expect(await client.ask({ text: 'abc d'.repeat(bytes / 5) })).toMatchObject({ bytes, generation });
        }
      }
    }
    expectNoMistake(...clients);
  });

  it('a compressed connection that takes context over is closed with 1001', async () => {
    const master = run({ WS, DEFLATE: '{ "threshold": 0 }' });
    const port = await master.serving();
    const bound = await CountingClient.connect(port, { perMessageDeflate: { threshold: 0 } });
    const plain = await CountingClient.connect(port);
    await bound.ask();
    await master.reload(2);
    expect(await bound.closed).toBe(1001);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 1, cut: 0 });
    expect(await plain.ask({ ask: 'who' })).toMatchObject({ extensions: '', generation: 2 });
    expectNoMistake(plain);
  });
});

it('request, subprotocol, binary type and place among the clients survive', async () => {
  const master = run();
  const port = await master.serving();
  const clients = await Promise.all(
    ['/one?x=1', '/two'].map((path) =>
      CountingClient.connect(port, {
        path,
        protocols: ['chat', 'chat.v2'],
        headers: { cookie: 'session=1', 'user-agent': 'test' },
      }),
    ),
  );
  const who = async (): Promise<object[]> => Promise.all(clients.map((client) => client.ask({ ask: 'who' })));
  await Promise.all(clients.map((client) => client.ask({ ask: 'arraybuffer' })));
  const before = await who();
  await master.reload(2);
  expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 2, cut: 0 });
  expect(await who()).toMatchObject(
    before.map((said) => ({ ...said, seq: 3, n: 3, generation: 2, clients: 2, isAmongThem: true })),
  );
  expect(before).toMatchObject([
    { url: '/one?x=1', method: 'GET', agent: 'test', cookie: 'session=1', protocol: 'chat.v2' },
    { url: '/two' },
  ]);
  expectNoMistake(...clients);
});

it('the old worker hears nothing of it, and the new one hears the end', async () => {
  const master = run();
  const client = await CountingClient.connect(await master.serving());
  await client.ask();
  await master.reload(2);
  await exitOf(master, 1);
  expect(master.lines.filter((line) => /^(heard|released)/.test(line))).toEqual(['released 3 0']);
  client.ws.close(4000);
  expect(await client.closed).toBe(4000);
  await master.waitForLine('heard close 4000');
});

it('pings are answered on both sides of a move', async () => {
  const master = run();
  const client = await CountingClient.connect(await master.serving());
  await client.ask({ ask: 'ping' });
  await client.until('its own pong', ({ pong }) => pong === true);
  await master.reload(2);
  await exitOf(master, 1);
  await client.ask({ ask: 'ping' });
  await client.until('the pong of the new one', ({ pong, generation }) => pong === true && generation === 2);
  client.ws.ping('hello');
  const [data] = (await once(client.ws, 'pong')) as [Buffer];
  expect(data.toString()).toBe('hello');
  expectNoMistake(client);
});

it('a message that has come in part is finished where it began, and its connection moves then', async () => {
  const master = run();
  const port = await master.serving();
  const [client, other] = [await CountingClient.connect(port), await CountingClient.connect(port)];
  const n = client.next();
  const text = 'x'.repeat(3_000_000);
  const message = JSON.stringify({ n, text });
  client.ws.send(message.slice(0, 2_000_000), { fin: false });
  await roundTrips(other);
  await master.reload(2);
  await eventually('the other one has moved', async () => (await other.ask()).generation === 2);
  client.ws.send(message.slice(2_000_000), { fin: true });
  expect(await client.answerTo(n)).toMatchObject({ bytes: text.length, generation: 1 });
  expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 2, cut: 0 });
  expect(await client.ask()).toMatchObject({ generation: 2 });
  expectNoMistake(client, other);
});

it('what the client is slow to read comes whole before the connection moves', async () => {
  const master = run();
  const client = await CountingClient.connect(await master.serving());
  client.ws.pause();
  const n = client.send({ ask: 'flood' });
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  client.ws.resume();
  await client.answerTo(n);
  expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 1, cut: 0 });
  expect(await client.ask()).toMatchObject({ generation: 2 });
  expectNoMistake(client);
});

it('what a paused connection has got and not used is used by the new worker', async () => {
  const master = run();
  const port = await master.serving();
  const [client, other] = [await CountingClient.connect(port), await CountingClient.connect(port)];
  await client.ask({ ask: 'pause' });
  const numbers = [client.send(), client.send({ text: 'x'.repeat(5_000) }), client.send()];
  await roundTrips(other);
  await master.reload(2);
  await master.waitForLine('restored true');
  for (const n of numbers) expect(await client.answerTo(n)).toMatchObject({ generation: 2 });
  expectNoMistake(client, other);
});

it.each([
  ['a promise', 'slow'],
  ['what can only be awaited like one', 'slowThenable'],
])('messages wait for a restore that takes its time and returns %s', async (_what, RELEASE) => {
  const master = run({ RELEASE });
  const client = await CountingClient.connect(await master.serving());
  await client.ask();
  await master.reload(2);
  await master.waitForLine('waiting');
  const numbers = [client.send(), client.send(), client.send()];
  process.kill(await master.workerPid(2), 'SIGUSR2');
  for (const n of numbers) expect(await client.answerTo(n)).toMatchObject({ generation: 2 });
  expectNoMistake(client);
});

it('connections are shared out among several workers', async () => {
  const master = run({}, ['--workers', '2']);
  const port = await master.serving();
  const clients = await Promise.all(Array.from({ length: 40 }, () => CountingClient.connect(port)));
  await master.reload(2);
  for (const slot of [0, 1]) await master.waitFor('workerExited', { generation: 1, slot });
  const said = await Promise.all(clients.map((client) => client.ask({ ask: 'who' })));
  // Each of the two old workers gives half of what it has to each of the two new ones.
  for (const { generation, clients: count } of said) {
    expect(generation).toBe(2);
    expect([19, 20, 21]).toContain(count);
  }
  expectNoMistake(...clients);
});

it('a new release that compresses takes connections that do not', async () => {
  const master = run({ RELEASE: 'deflates' });
  const client = await CountingClient.connect(await master.serving());
  await master.reload(2);
  expect(await exitOf(master, 1)).toMatchObject({ migrated: 1 });
  expect(await client.ask({ ask: 'who', text: 'x'.repeat(5_000) })).toMatchObject({ extensions: '' });
  expectNoMistake(client);
});

describe('a connection that cannot move is closed', () => {
  it('with 1011 when its restore fails, and stderr says why', async () => {
    const master = run({ RELEASE: 'throws' });
    const client = await CountingClient.connect(await master.serving());
    await master.reload(2);
    expect(await client.closed).toBe(1011);
    await master.waitForLine('restore is broken');
    expect(await exitOf(master, 1)).toMatchObject({ code: 0, cut: 0 });
  });

  it('with 1001 when its state cannot be saved, and stderr says why', async () => {
    const master = run();
    const port = await master.serving();
    const [client, other] = [await CountingClient.connect(port), await CountingClient.connect(port)];
    await client.ask({ ask: 'unsavable' });
    await master.reload(2);
    expect(await client.closed).toBe(1001);
    await master.waitForLine('circular');
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 1, cut: 0 });
    expect(await other.ask()).toMatchObject({ generation: 2 });
    expectNoMistake(client, other);
  });

  it('with 1001 when it is never between two messages', async () => {
    const master = run({}, ['--drain-timeout', '1s']);
    const client = await CountingClient.connect(await master.serving());
    await client.ask();
    client.ws.send('{ "n"', { fin: false });
    await master.reload(2);
    expect(await client.closed).toBe(1001);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
  });

  it.each([
    ['the new release does not take it', { RELEASE: 'withoutAdapter' }, []],
    ['connections are not to move', {}, ['--no-migrate']],
  ])('with 1001 when %s', async (_why, env, flags) => {
    const master = run(env, ['--drain-timeout', '1s', ...flags]);
    const port = await master.serving();
    const clients = await Promise.all([1, 2, 3].map(() => CountingClient.connect(port)));
    await master.reload(2);
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1001, 1001, 1001]);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
    expect(master.lines.filter((line) => line === 'heard close 1001')).toHaveLength(3);
    expectNoMistake(...clients);
  });

  it('with 1001 when it is one over TLS', async () => {
    const master = run({ TLS: '1' });
    const client = await CountingClient.connect(await master.serving(), { scheme: 'wss' });
    await client.ask();
    await master.reload(2);
    expect(await client.closed).toBe(1001);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
  });

  it('with 1001 when the master stops', async () => {
    const master = run({}, ['--drain-timeout', '1s']);
    const port = await master.serving();
    const clients = await Promise.all([1, 2, 3].map(() => CountingClient.connect(port)));
    master.signal('SIGTERM');
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1001, 1001, 1001]);
    expect(await exitOf(master, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
  });
});
