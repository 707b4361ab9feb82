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

test('its requests are counted from the beginning again: maxRequestsPerSocket', async () => {
  const env = { KEEP_ALIVE_MS: '60000', MAX_REQUESTS: '3' };
  const master = runMaster({ command: app('has-timeouts'), env });
  const wires = await connectAndAsk(await master.serving(), 5);
  for (const wire of wires) expect(await ask(wire)).toContain('Connection: keep-alive');
  await master.reload(2);
  await expectMoved(master, wires);
  for (const wire of wires) {
    for (const connection of ['keep-alive', 'keep-alive', 'close']) {
      expect(await ask(wire)).toContain(`Connection: ${connection}`);
    }
  }
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
