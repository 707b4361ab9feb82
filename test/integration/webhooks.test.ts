// Webhooks as a real master sends them, and as a receiver of Standard Webhooks checks them.
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

interface Received {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** `answer`: the status for the request with this number, from 1; null: it is not answered. */
async function receiver(
  answer: (number: number) => number | null,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = http.createServer(take(received, answer));
  return { url: `http://127.0.0.1:${await listen(server)}/hook`, received };
}

function take(received: Received[], answer: (number: number) => number | null): http.RequestListener {
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const status = answer(received.length);
      if (status !== null) response.writeHead(status).end();
    });
  };
}

async function listen(server: http.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface SecureReceiver {
  readonly url: string;
  readonly received: Received[];
  readonly certificate: string;
  /** Resolves when a client connects. */
  readonly connected: Promise<unknown>;
}

/** It speaks HTTPS, with a certificate of its own for this address. */
async function secureReceiver(address: string): Promise<SecureReceiver> {
  const folder = temporaryFolder();
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=receiver -addext';
  execFileSync(
    'openssl',
    [...words.split(' '), `subjectAltName=IP:${address}`, '-keyout', key, '-out', certificate],
    { stdio: 'ignore' },
  );
  const received: Received[] = [];
  const server = https.createServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    take(received, () => 200),
  );
  const connected = once(server, 'connection');
  return { url: `https://127.0.0.1:${await listen(server)}/hook`, received, certificate, connected };
}

function runWithWebhook(webhook: string, env: NodeJS.ProcessEnv = {}): RunningMaster {
  const cwd = temporaryFolder();
  writeFileSync(
    join(cwd, 'shop.toml'),
    `[program.shop]\ncommand = ${JSON.stringify(app('serves'))}\nlisten = ["127.0.0.1:0"]\nprobation = "0s"\nwebhook = ${webhook}\n`,
  );
  const flags = ['-c', 'shop.toml', '--log-format', 'json', '--log-level', 'debug'];
  return runMaster({
    name: 'shop',
    hasOwnFlags: false,
    flags,
    command: [],
    cwd,
    env: { SECRET: 'whsec_c2VjcmV0', ...env },
  });
}

function namesOf(received: readonly Received[]): readonly unknown[] {
  return received.map(({ body }) => (JSON.parse(body) as { readonly event: string }).event);
}

test('events arrive in their order, signed, the last one before the master ends', async () => {
  const { url, received } = await receiver(() => 200);
  const master = runWithWebhook(`{ url = "${url}", secret = "\${SECRET}" }`);
  await master.serving();
  await master.reload(2);
  master.signal('SIGTERM');
  await master.exited;
  expect(namesOf(received)).toEqual(['generationReady', 'generationReady', 'stopped']);
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  for (const { headers, body } of received) {
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    const signature = createHmac('sha256', 'secret').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signature}`);
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60);
    expect(headers['content-type']).toBe('application/json');
  }
});

test('the drain of each worker is sent if it is asked for', async () => {
  const { url, received } = await receiver(() => 200);
  const master = runWithWebhook(`{ url = "${url}", events = ["workerDraining", "stopped"] }`);
  await master.serving();
  await master.reload(2);
  master.signal('SIGTERM');
  await master.exited;
  expect(received.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { event: 'workerDraining', generation: 1, slot: 0, reason: 'reload' },
    { event: 'workerDraining', generation: 2, slot: 0, reason: 'stop' },
    { event: 'stopped' },
  ]);
});

test('a request that fails is repeated with the same id, and later events wait for it', async () => {
  const { url, received } = await receiver((number) => (number === 1 ? 503 : 204));
  const master = runWithWebhook(`{ url = "${url}", events = ["generationReady"] }`);
  await master.serving();
  await master.reload(2);
  await eventually('all have arrived', () => received.length === 3, 10_000);
  const ids = received.map(({ headers }) => headers['webhook-id']);
  expect([ids[0] === ids[1], ids[1] === ids[2]]).toEqual([true, false]);
  expect(received.map(({ body }) => (JSON.parse(body) as { generation: number }).generation)).toEqual([
    1, 1, 2,
  ]);
  expect(received[0]?.headers['webhook-signature']).toBe(undefined);
  expect(master.all('webhookFailed')).toEqual([]);
});

test('a request that would fail again is not repeated, and reported', async () => {
  const { url, received } = await receiver((number) => (number === 1 ? 404 : 200));
  const master = runWithWebhook(`{ url = "${url}", events = ["generationReady", "reloadRequested"] }`);
  await master.serving();
  expect(await master.waitFor('webhookFailed')).toMatchObject({ about: 'generationReady', attempts: 1 });
  await master.reload(2);
  await eventually('the next ones arrive', () => received.length === 3);
  expect(namesOf(received)).toEqual(['generationReady', 'reloadRequested', 'generationReady']);
});

test('a receiver that never answers holds up neither a reload nor, for long, the end', async () => {
  const { url, received } = await receiver(() => null);
  const master = runWithWebhook(`{ url = "${url}" }`);
  await master.serving();
  await eventually('the receiver has a request', () => received.length > 0);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(received.length).toBe(1);
  const askedAt = performance.now();
  master.signal('SIGTERM');
  await master.exited;
  expect(performance.now() - askedAt).toBeLessThan(9_000);
});

test('events arrive over HTTPS if NODE_EXTRA_CA_CERTS has the certificate of the receiver', async () => {
  const { url, received, certificate } = await secureReceiver('127.0.0.1');
  const master = runWithWebhook(`{ url = "${url}", secret = "\${SECRET}" }`, {
    NODE_EXTRA_CA_CERTS: certificate,
  });
  await master.serving();
  master.signal('SIGTERM');
  await master.exited;
  expect(namesOf(received)).toEqual(['generationReady', 'stopped']);
  expect(master.all('webhookFailed')).toEqual([]);
});

test.each([
  ['that nobody has vouched for', '127.0.0.1', 'self-signed certificate'],
  ['of another host', '127.0.0.2', "IP: 127.0.0.1 is not in the cert's list"],
])(
  'nothing is sent to a receiver with a certificate %s, and that is reported',
  async (_what, address, problem) => {
    const { url, received, certificate, connected } = await secureReceiver(address);
    const isTrusted = address !== '127.0.0.1';
    const master = runWithWebhook(
      `{ url = "${url}", events = ["generationReady"] }`,
      isTrusted ? { NODE_EXTRA_CA_CERTS: certificate } : {},
    );
    await connected;
    // The last attempt is at the end.
    master.signal('SIGTERM');
    await master.exited;
    expect(master.all('webhookFailed')).toMatchObject([
      { about: 'generationReady', problem: expect.stringContaining(problem) as string },
    ]);
    expect(received).toEqual([]);
  },
);
