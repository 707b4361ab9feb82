// Webhooks as a real master sends them, and as a receiver of Standard Webhooks checks them.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
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
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      const status = answer(received.length);
      if (status !== null) response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

function runWithWebhook(webhook: string): RunningMaster {
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
    env: { SECRET: 'whsec_c2VjcmV0' },
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
