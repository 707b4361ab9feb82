// The versions of `ws` that graceful-run/ws works with: the oldest and the newest of the range in package.json have what it reads.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type * as Ws from 'ws';
import { compressionOf } from '../../../../src/worker/ws/compression.ts';
import { deflateOf, progressOf } from '../../../../src/worker/ws/ws-internals.ts';

const require = createRequire(import.meta.url);
const manifest = require('../../../../package.json') as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};

function versionOf(name: string): string {
  const path = new URL(`../../../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
}

it('are those from the oldest one that is tested up to the next major one', () => {
  expect(manifest.peerDependencies['ws']).toBe(`^${versionOf('ws-oldest')}`);
  expect(versionOf('ws').split('.')[0]).toBe(versionOf('ws-oldest').split('.')[0]);
});

describe.each(['ws', 'ws-oldest'])('%s', (name) => {
  const unknown = `${name} ${versionOf(name)} is not built as src/worker/ws/ws-internals.ts knows it`;
  let wss: Ws.WebSocketServer;
  let client: Ws.WebSocket;

  afterEach(() => {
    client.terminate();
    wss.close();
  });

  async function pair(perMessageDeflate: object | false): Promise<{ ws: Ws.WebSocket; socket: Socket }> {
    // The same types: what differs is not public.
    const copy = (await import(name)) as typeof Ws;
    wss = new copy.WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate });
    await once(wss, 'listening');
    client = new copy.WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`);
    const [[ws, { socket }]] = (await Promise.all([once(wss, 'connection'), once(client, 'open')])) as [
      [Ws.WebSocket, { socket: Socket }],
      unknown,
    ];
    return { ws, socket };
  }

  it('says whether it is between two messages', async () => {
    const { ws } = await pair(false);
    expect(progressOf(ws), unknown).toBe('betweenMessages');
    ws.once('message', () => {
      expect(progressOf(ws), unknown).toBe('busy');
    });
    client.send('whole');
    await once(ws, 'message');
    expect(progressOf(ws), unknown).toBe('betweenMessages');
    client.send('part', { fin: false });
    client.ping();
    await once(ws, 'ping');
    expect(progressOf(ws), unknown).toBe('busy');
    client.send('rest');
    await once(ws, 'message');
    expect(progressOf(ws), unknown).toBe('betweenMessages');
    ws.send('part', { fin: false });
    expect(progressOf(ws), unknown).toBe('busy');
    ws.send('rest');
    await once(client, 'message');
    expect(progressOf(ws), unknown).toBe('betweenMessages');
  });

  it('says whether it compresses, and what was agreed on', async () => {
    const free = { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 };
    const { ws } = await pair(free);
    expect(deflateOf(ws), unknown).toMatchObject({
      server_no_context_takeover: true,
      client_no_context_takeover: true,
    });
    expect(compressionOf(ws)).toEqual(deflateOf(ws));
    ws.send('compressed');
    expect(progressOf(ws), unknown).toBe('busy');
    await once(client, 'message');
    expect(progressOf(ws), unknown).toBe('betweenMessages');
  });

  it('is found by its socket, and ends with one call', async () => {
    const { ws, socket } = await pair(false);
    const symbol = Object.getOwnPropertySymbols(socket).find(
      ({ description }) => description === 'websocket',
    );
    expect(symbol === undefined ? null : Reflect.get(socket, symbol), unknown).toBe(ws);
    expect(Reflect.get(ws, 'emitClose'), unknown).toBeTypeOf('function');
    expect(Reflect.get(wss, 'handleUpgrade'), unknown).toBeTypeOf('function');
  });
});
