import { once } from 'node:events';
import { connect, type ClientHttp2Session } from 'node:http2';
import { request as httpsRequest, Agent } from 'node:https';
import { afterEach, describe, expect, it } from 'vitest';
import { MiniMaster } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

async function secureGet(
  port: number,
  path: string,
  agent: Agent,
): Promise<{ text: string; connection: string }> {
  const request = httpsRequest({ port, path, agent, host: '127.0.0.1', rejectUnauthorized: false }).end();
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ text, connection: response.headers.connection ?? '' });
      });
    });
  });
}

async function streamText(session: ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path }).setEncoding('utf8');
  let text = '';
  stream.on('data', (chunk: string) => (text += chunk));
  await once(stream, 'end');
  return text;
}

it('drains http, https, http2 and raw connections in one worker, each in its way', async () => {
  master = new MiniMaster({ count: 5 });
  const [http = 0, https = 0, http2 = 0, http2s = 0, raw = 0] = master.ports;
  const worker = await master.serve('speaks-many-protocols.cjs');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const plain = await Wire.connect(http);
  plain.get('/');
  await plain.until('ok');
  expect(await secureGet(https, '/', agent)).toEqual({ text: 'ok', connection: 'keep-alive' });
  const sessions = [
    connect(`http://127.0.0.1:${http2}`),
    connect(`https://127.0.0.1:${http2s}`, { rejectUnauthorized: false }),
  ];
  expect(await Promise.all(sessions.map((session) => streamText(session, '/')))).toEqual(['ok', 'ok']);
  const streams = sessions.map((session) => streamText(session, '/held'));
  await worker.says(/(?:held\n[^]*){2}/);
  const http1OverHttp2 = new Agent({ keepAlive: true });
  expect((await secureGet(http2s, '/', http1OverHttp2)).text).toBe('ok');
  const echo = await Wire.connect(raw);
  echo.write('one');
  await echo.until('one');

  const goneAway = Promise.all(sessions.map((session) => once(session, 'goaway')));
  worker.drain();
  await worker.message('acceptsNoMore');
  await goneAway;
  worker.child.send('release');
  expect(await Promise.all(streams)).toEqual(['held', 'held']);
  plain.get('/');
  await plain.until('Connection: close');
  expect(await secureGet(https, '/', agent)).toEqual({ text: 'ok', connection: 'close' });
  expect(await secureGet(http2s, '/', http1OverHttp2)).toEqual({ text: 'ok', connection: 'close' });
  echo.write('two');
  await echo.until('two');
  echo.socket.end();
  expect((await worker.exited).code).toBe(0);
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 10, cut: 0 });
});

it('shows an application its servers as they were while it drains, until it closes them', async () => {
  master = new MiniMaster({ count: 2 });
  const [http = 0, https = 0] = master.ports;
  const worker = await master.serve('tells-its-address.cjs');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const [plain, idle] = await Promise.all([Wire.connect(http), Wire.connect(http)]);
  for (const client of [plain, idle]) client.get('/');
  await Promise.all([plain, idle].map((client) => client.until(`true ${http}`)));
  expect(await secureGet(https, '/', agent)).toEqual({ text: `true ${https}`, connection: 'keep-alive' });
  worker.drain();
  await worker.message('acceptsNoMore');
  plain.received = '';
  plain.get('/');
  await plain.until(`true ${http}`);
  expect(await secureGet(https, '/', agent)).toEqual({ text: `true ${https}`, connection: 'close' });
  worker.child.send('close');
  expect((await worker.exited).code).toBe(0);
  expect(worker.output.match(/^then false null$/gm)).toHaveLength(2);
  expect(worker.output.match(/^closed undefined$/gm)).toHaveLength(2);
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 5, cut: 0 });
  await idle.closed;
});

it('cuts what is left of every protocol at the deadline', async () => {
  master = new MiniMaster({ count: 5 });
  const [, https = 0, http2 = 0, , raw = 0] = master.ports;
  const worker = await master.serve('speaks-many-protocols.cjs');
  const secure = secureGet(https, '/held', new Agent()).catch(() => 'cut');
  const session = connect(`http://127.0.0.1:${http2}`).on('error', () => undefined);
  session.request({ ':path': '/held' }).on('error', () => undefined);
  const echo = await Wire.connect(raw);
  await worker.says(/(?:held\n[^]*){2}/);
  worker.drain('reload', 50);
  expect((await worker.exited).code).toBe(0);
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 3 });
  expect(await secure).toBe('cut');
  await echo.closed;
});

describe('an http server that is fed by another server', () => {
  it('says close while it drains, over plain connections and over TLS', async () => {
    master = new MiniMaster({ count: 2 });
    const [http = 0, https = 0] = master.ports;
    const worker = await master.serve('is-fed.cjs');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const [plain, held] = await Promise.all([Wire.connect(http), Wire.connect(http)]);
    plain.get('/');
    await plain.until('fed');
    held.get('/held');
    await worker.says('request /held');
    expect(await secureGet(https, '/', agent)).toEqual({ text: 'fed', connection: 'keep-alive' });
    worker.drain();
    await worker.message('acceptsNoMore');
    worker.child.send('release');
    await held.until('Connection: close');
    plain.get('/');
    await plain.until('Connection: close');
    expect(await secureGet(https, '/', agent)).toEqual({ text: 'fed', connection: 'close' });
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 5, cut: 0 });
  });

  it('may finish at the deadline what it is writing', async () => {
    master = new MiniMaster({ count: 2 });
    const [http = 0, https = 0] = master.ports;
    const worker = await master.serve('is-fed.cjs');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const held = await Wire.connect(http);
    held.get('/held');
    await worker.says('request /held');
    const secure = secureGet(https, '/held', agent);
    await worker.says(/(?:request \/held\n[^]*){2}/);
    worker.drain('reload', 60_000);
    await worker.message('acceptsNoMore');
    process.kill(worker.pid, 'SIGTERM');
    await held.until('held');
    expect((await secure).text).toBe('held');
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 2, cut: 0 });
  });
});
