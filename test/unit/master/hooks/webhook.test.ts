import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createWebhook, sign } from '../../../../src/master/hooks/webhook.ts';
import type { EventRecord, MasterEvent } from '../../../../src/shared/events.ts';

const event: EventRecord = {
  event: 'stopRequested',
  cause: 'signal',
  urgent: false,
  program: 'shop',
  time: 0,
};

test('events that find the queue full are dropped, counted and reported, and so is one that never arrives', async () => {
  const told: MasterEvent[] = [];
  const webhook = createWebhook({
    // Nothing listens there.
    plan: () => ({ url: 'http://127.0.0.1:1/', secret: null, events: ['stopRequested'] }),
    tell: (one) => told.push(one),
    limits: { mostWaiting: 2, attempts: 2, pauseMs: 1, longestPauseMs: 1, requestMs: 1_000, lastMs: 1_000 },
  });
  for (let count = 0; count < 6; count += 1) webhook.observe(event);
  // One is being sent, two wait.
  await expect.poll(() => told.filter((one) => one.event === 'webhookFailed').length).toBe(3);
  expect(told.filter((one) => one.event === 'webhooksDropped')).toEqual([
    { event: 'webhooksDropped', count: 3 },
  ]);
  expect(told[0]).toMatchObject({ about: 'stopRequested', attempts: 2 });
  await webhook.done();
});

test('events that were not asked for are not sent', async () => {
  const told: MasterEvent[] = [];
  const webhook = createWebhook({
    plan: () => ({ url: 'http://127.0.0.1:1/', secret: null, events: ['stopped'] }),
    tell: (one) => told.push(one),
  });
  webhook.observe(event);
  await webhook.done();
  expect(told).toEqual([]);
});

// The example of https://www.standardwebhooks.com, of its reference library.
test('a request is signed as Standard Webhooks wants it', () => {
  expect(
    sign(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}',
    ),
  ).toBe('g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});

/** A receiver that sends this head, and never ends the response. */
async function receiver(
  status: number,
): Promise<{ url: string; requests: () => number; left: () => number }> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(status, { location: '/elsewhere' });
    response.flushHeaders();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, requests: () => requests, left: () => sockets.size };
}

test.each([
  [200, 0],
  [301, 1],
  [404, 1],
])(
  'status %d is final, and its connection is closed though the response does not end',
  async (status, failures) => {
    const told: MasterEvent[] = [];
    const { url, requests, left } = await receiver(status);
    const webhook = createWebhook({
      plan: () => ({ url, secret: null, events: ['stopRequested'] }),
      tell: (one) => told.push(one),
    });
    webhook.observe(event);
    await expect.poll(requests).toBe(1);
    await expect.poll(left).toBe(0);
    await webhook.done();
    expect(requests()).toBe(1);
    expect(told.filter((one) => one.event === 'webhookFailed')).toHaveLength(failures);
  },
);
