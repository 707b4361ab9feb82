// A connection that has moved lives on as it would have lived without a reload; one that cannot is left where it is.
import { expect, test } from 'vitest';
import { app, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

const request = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

async function ask(wire: Wire, text = request): Promise<string> {
  wire.received = '';
  wire.write(text);
  await wire.until('}');
  return wire.received;
}

async function connectAndAsk(port: number, count: number, text = request): Promise<readonly Wire[]> {
  const wires = await Promise.all(Array.from({ length: count }, () => Wire.connect(port)));
  await Promise.all(wires.map((wire) => ask(wire, text)));
  return wires;
}

async function expectMoved(master: RunningMaster, wires: readonly Wire[]): Promise<void> {
  const { migrated, cut } = await master.waitFor('workerExited', { generation: 1 });
  expect({ migrated, cut }).toEqual({ migrated: wires.length, cut: 0 });
}

async function expectServedByNew(wires: readonly Wire[]): Promise<void> {
  for (const wire of wires) expect(await ask(wire)).toContain('"generation":2');
  for (const { socket } of wires) socket.destroy();
}

test('the timeout of sockets does not count while it waits for a request', async () => {
  const env = { KEEP_ALIVE_MS: '60000', TIMEOUT_MS: '700' };
  const master = runMaster({ command: app('has-timeouts'), env });
  const port = await master.serving();
  const wires = await connectAndAsk(port, 5);
  await master.reload(2);
  await expectMoved(master, wires);
  // That one has never asked, so the timeout counts: it ends later than those would.
  const silent = await Wire.connect(port);
  await silent.closed;
  await expectServedByNew(wires);
});

test('the timeout of sockets counts again from the next request on', async () => {
  const env = { KEEP_ALIVE_MS: '60000', TIMEOUT_MS: '700' };
  const master = runMaster({ command: app('has-timeouts'), env });
  const wires = await connectAndAsk(await master.serving(), 1);
  await master.reload(2);
  await expectMoved(master, wires);
  for (const wire of wires) {
    wire.get('/held');
    expect(await wire.closed).toBe('end');
    expect(wire.received).toContain('begun');
  }
});

test('a keep-alive timeout as long as a timer can be does not end it', async () => {
  const env = { KEEP_ALIVE_MS: String(2 ** 31 - 1) };
  const master = runMaster({ command: app('has-timeouts'), env });
  const wires = await connectAndAsk(await master.serving(), 5);
  await master.reload(2);
  await expectMoved(master, wires);
  await expectServedByNew(wires);
});

test('its requests are counted on: maxRequestsPerSocket', async () => {
  const env = { KEEP_ALIVE_MS: '60000', MAX_REQUESTS: '4' };
  const master = runMaster({ command: app('has-timeouts'), env });
  const wires = await connectAndAsk(await master.serving(), 5);
  for (const wire of wires) expect(await ask(wire)).toContain('Connection: keep-alive');
  await master.reload(2);
  await expectMoved(master, wires);
  for (const wire of wires) {
    for (const connection of ['keep-alive', 'close']) {
      expect(await ask(wire)).toContain(`Connection: ${connection}`);
    }
    // Node.js leaves it to the client to close.
    wire.socket.destroy();
  }
});

test('the grace that a server adds to its keep-alive timeout counts', async () => {
  const env = { KEEP_ALIVE_MS: '100', KEEP_ALIVE_BUFFER_MS: '60000', TIMEOUT_MS: '1500' };
  const master = runMaster({ command: app('has-timeouts'), env });
  const port = await master.serving();
  // Node.js 20 has no such option, and always grants 1 s: there it takes effect for those that have moved alone.
  const wires = await connectAndAsk(port, 5);
  await master.reload(2);
  await expectMoved(master, wires);
  const silent = await Wire.connect(port);
  await silent.closed;
  await expectServedByNew(wires);
});

test('without a keep-alive timeout the timeout of the socket counts on', async () => {
  const env = { KEEP_ALIVE_MS: '0', TIMEOUT_MS: '1200' };
  const master = runMaster({ command: app('has-timeouts'), env });
  const [wire] = await connectAndAsk(await master.serving(), 1);
  if (wire === undefined) throw new Error('no connection');
  await master.reload(2);
  await expectMoved(master, [wire]);
  expect(await wire.closed).toBe('end');
});

interface Told {
  readonly generation: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly options: object;
}

async function told(wire: Wire, path: string): Promise<Told> {
  const answer = await ask(wire, `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  return JSON.parse(answer.slice(answer.indexOf('{'))) as Told;
}

test('options that the application has set at its socket stay, and its bytes are counted on', async () => {
  const master = runMaster({ command: app('tells-its-socket') });
  const wire = await Wire.connect(await master.serving());
  const options = { noDelay: 0, keepAlive: 1, keepAliveIdle: 77 };
  await told(wire, '/set');
  const before = await told(wire, '/tell');
  expect(before).toMatchObject({ generation: 1, options });
  await master.reload(2);
  await expectMoved(master, [wire]);
  const after = await told(wire, '/tell');
  expect(after).toMatchObject({ generation: 2, options });
  const request = 'GET /tell HTTP/1.1\r\nHost: test\r\n\r\n'.length;
  expect(after.bytesRead).toBe(before.bytesRead + request);
  expect(after.bytesWritten).toBeGreaterThan(before.bytesWritten);
  wire.socket.destroy();
});

test.each(['/name', '/symbol'])(
  'a connection at whose socket the application keeps something stays, and is told to close (%s)',
  async (path) => {
    const master = runMaster({ command: app('tells-its-socket') });
    const port = await master.serving();
    const [stays, moves] = [await Wire.connect(port), await Wire.connect(port)];
    await told(stays, path);
    await told(moves, '/tell');
    await master.reload(2);
    await master.waitFor('workerAcceptsNoMore', { generation: 1 });
    for (;;) {
      const answer = await ask(stays);
      expect(answer).toContain('"generation":1');
      if (answer.includes('Connection: close')) break;
    }
    expect(await stays.closed).toBe('end');
    expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ migrated: 1, cut: 0 });
    expect(await told(moves, '/tell')).toMatchObject({ generation: 2 });
    moves.socket.destroy();
  },
);

test("a listener of 'connection' that throws is an uncaught exception, and the connection lives", async () => {
  const master = runMaster({ command: app('tells-its-socket'), env: { THROWS: '1' } });
  const wires = [await Wire.connect(await master.serving())];
  for (const wire of wires) await told(wire, '/tell');
  await master.reload(2);
  await expectMoved(master, wires);
  for (const wire of wires) {
    expect(await told(wire, '/tell')).toMatchObject({ generation: 2 });
    wire.socket.destroy();
  }
  await master.waitForLine('uncaught in generation 2: by a listener');
});

test('an empty line that comes while it waits for its turn does not keep it from moving', async () => {
  const master = runMaster({ command: app('has-timeouts'), env: { KEEP_ALIVE_MS: '60000' } });
  const wires = await connectAndAsk(await master.serving(), 20);
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  for (const wire of wires) wire.write('\r\n');
  await expectMoved(master, wires);
  await expectServedByNew(wires);
});

test('a server that the application closes at the beginning of the drain does not end it', async () => {
  const master = runMaster({ command: app('closes-when-draining') });
  const wires = await connectAndAsk(await master.serving(), 10);
  await master.reload(2);
  await expectMoved(master, wires);
  await expectServedByNew(wires);
});

test('where something before HTTP has read the beginning, it stays, and is told to close', async () => {
  const master = runMaster({ command: app('speaks-proxy') });
  const first = `PROXY TCP4 203.0.113.7 127.0.0.1 1234 80\r\n${request}`;
  const wires = await connectAndAsk(await master.serving(), 5, first);
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  for (const wire of wires) {
    for (;;) {
      const answer = await ask(wire);
      expect(answer).toContain('{"client":"203.0.113.7","generation":1}');
      if (answer.includes('Connection: close')) break;
    }
    expect(await wire.closed).toBe('end');
  }
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ migrated: 0, cut: 0 });
});
