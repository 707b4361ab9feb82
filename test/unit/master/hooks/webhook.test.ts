import { expect, test } from 'vitest';
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
