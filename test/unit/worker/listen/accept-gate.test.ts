import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createAcceptGate } from '../../../../src/worker/listen/accept-gate.ts';
import { createBinding, type Binding } from '../../../../src/worker/listen/binding.ts';
import {
  holdBack,
  isRawHandle,
  type RawHandle,
} from '../../../../src/worker/node-internals/listening-handle.ts';

const servers: net.Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function boundHandle(): RawHandle {
  const create: unknown = Reflect.get(net, '_createServerHandle');
  const handle: unknown =
    typeof create === 'function' ? Reflect.apply(create, net, ['127.0.0.1', 0, 4, -1, 0]) : null;
  if (!isRawHandle(handle)) throw new Error('this Node.js opens handles in another way');
  return handle;
}

function gateOver(...bindings: Binding[]) {
  return createAcceptGate({ bindings, opened: () => undefined, isAcceptingQueue: () => false });
}

function binding(name = 'web'): Binding {
  return createBinding({ name, fd: 3, type: 'tcp', host: '127.0.0.1', port: 80, backlog: 16 }, 'inherited');
}

/** A server that listens on the binding; returns its port. */
async function listen(gate: ReturnType<typeof gateOver>, on: Binding): Promise<number> {
  const handle = boundHandle();
  Object.assign(on, { state: 'held', handle });
  gate.guard(on, () => holdBack(handle));
  const server = net.createServer((socket) => socket.end('served'));
  servers.push(server);
  server.listen(handle);
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

async function connect(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    const [data] = (await once(socket, 'data')) as [Buffer];
    return data.toString();
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    socket.destroy();
  }
}

test('a server that listens accepts no connection before admission', async () => {
  const web = binding();
  const gate = gateOver(web);
  const port = await listen(gate, web);
  expect(await connect(port)).toBe('ECONNREFUSED');
  const problems: (string | null)[] = [];
  gate.admit((problem) => problems.push(problem));
  expect(problems).toEqual([null]);
  expect(await connect(port)).toBe('served');
});

test('an admission is answered when a server listens on every listener', async () => {
  const [web, admin] = [binding('web'), binding('admin')];
  const gate = gateOver(web, admin);
  await listen(gate, web);
  const problems: (string | null)[] = [];
  gate.admit((problem) => problems.push(problem));
  expect(problems).toEqual([]);
  await listen(gate, admin);
  gate.recheck();
  expect(problems).toEqual([null]);
});

test('a server that listens during a pause accepts when it is over', async () => {
  const web = binding();
  const gate = gateOver(web);
  expect(gate.pause()).toBe(false);
  gate.admit(() => undefined);
  expect(gate.pause()).toBe(true);
  const port = await listen(gate, web);
  expect(gate.isPaused()).toBe(true);
  expect(await connect(port)).toBe('ECONNREFUSED');
  expect(gate.resume()).toBe(null);
  expect(await connect(port)).toBe('served');
});

test('a server that listens after the gate was closed never accepts', async () => {
  const web = binding();
  const gate = gateOver(web);
  gate.admit(() => undefined);
  gate.close();
  const port = await listen(gate, web);
  expect(gate.resume()).toBe(null);
  expect(await connect(port)).toBe('ECONNREFUSED');
});
