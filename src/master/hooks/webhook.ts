/**
 * Sends events of a program to a URL, one after the other, as Standard Webhooks does. A request that fails is repeated, up to a number of attempts.
 * Nothing waits for it. Loaded only if a plan has a webhook.
 */
import { messageOf } from '../../shared/errors.ts';
import type { EventRecord, MasterEvent } from '../../shared/events.ts';
import { version } from '../../shared/version.ts';
import type { WebhookPlan } from '../config/options/webhook-options.ts';
import { randomId } from '../random-id.ts';
import { createWorkQueue } from './work-queue.ts';

export interface WebhookParts {
  /** The webhook of the plan at the moment of the call, or null if it was removed. */
  readonly plan: () => WebhookPlan | null;
  readonly tell: (event: MasterEvent) => void;
  readonly limits?: WebhookLimits;
}

export interface WebhookLimits {
  /** How many events may wait. Further ones are dropped, counted and reported. */
  readonly mostWaiting: number;
  readonly attempts: number;
  /** The pause before the second attempt. It is doubled before each further one, up to `longestPauseMs`. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
  /** How long one request may take. */
  readonly requestMs: number;
  /** How long the end of the program may wait for events that are not sent yet. */
  readonly lastMs: number;
}

export interface Webhook {
  /** Whether an event waits or is being sent. */
  isBusy(): boolean;
  observe(event: EventRecord): void;
  /** Called at the end of the program: waiting events are sent at once, each in a single attempt. */
  done(): Promise<void>;
}

const usualLimits: WebhookLimits = {
  mostWaiting: 1_000,
  attempts: 8,
  pauseMs: 1_000,
  longestPauseMs: 60_000,
  requestMs: 10_000,
  lastMs: 5_000,
};

interface Message {
  readonly id: string;
  readonly event: string;
  readonly body: string;
}

/** The result of one request. */
type Answer = 'arrived' | { readonly problem: string; readonly isFinal: boolean };

export function createWebhook({ plan, tell, limits = usualLimits }: WebhookParts): Webhook {
  let isEnding = false;
  let hurry = (): void => undefined;
  /** Ends the request that is under way. */
  let cut = new AbortController();

  const queue = createWorkQueue<Message>({
    most: limits.mostWaiting,
    work: deliver,
    dropped: (count) => {
      tell({ event: 'webhooksDropped', count });
    },
  });

  async function deliver(message: Message): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const now = plan();
      if (now === null) return;
      const answer = await post(now, message, limits.requestMs, cut.signal);
      if (answer === 'arrived') return;
      if (answer.isFinal || attempt >= limits.attempts || isEnding) {
        const { problem } = answer;
        tell({ event: 'webhookFailed', about: message.event, problem, attempts: attempt });
        return;
      }
      await pause(Math.min(limits.longestPauseMs, limits.pauseMs * 2 ** (attempt - 1)));
    }
  }

  async function pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    observe(event) {
      if (plan()?.events.some((name) => name === event.event) !== true) return;
      queue.add({ id: `msg_${randomId()}`, event: event.event, body: JSON.stringify(event) });
    },
    isBusy: () => queue.isBusy(),
    async done() {
      isEnding = true;
      hurry();
      const timer = setTimeout(() => {
        queue.keepOnly(() => false);
        cut.abort();
      }, limits.lastMs);
      await queue.done();
      clearTimeout(timer);
      // The program may be started again, and with it the webhook.
      isEnding = false;
      cut = new AbortController();
    },
  };
}

async function post(
  { url, secret }: WebhookPlan,
  { id, body }: Message,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': `graceful-run/${version}`,
    'webhook-id': id,
    'webhook-timestamp': timestamp,
  };
  if (secret !== null) headers['webhook-signature'] = `v1,${sign(secret, `${id}.${timestamp}.${body}`)}`;
  const { request } = url.startsWith('https:')
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
  return new Promise<Answer>((resolve) => {
    const failed = (problem: string): void => {
      clearTimeout(timer);
      resolve({ problem, isFinal: false });
    };
    const sent = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      const { statusCode = 0 } = response;
      response.on('error', () => undefined);
      clearTimeout(timer);
      if (statusCode >= 200 && statusCode < 300) resolve('arrived');
      else resolve({ problem: `the answer was ${statusCode}`, isFinal: isFinal(statusCode) });
      // The status is enough: the rest of the response is not read, and may never end.
      sent.destroy();
    });
    const timer = setTimeout(() => {
      sent.destroy();
      failed(`no answer within ${timeoutMs / 1_000}s`);
    }, timeoutMs);
    sent.on('error', (error) => {
      failed(messageOf(error));
    });
    sent.end(body);
  });
}

/** Whether it is useless to repeat the request, because the answer would be the same. A redirect is not followed. */
function isFinal(status: number): boolean {
  return status < 500 && status !== 408 && status !== 425 && status !== 429;
}

/** Signs a text as Standard Webhooks does. A secret that begins with `whsec_` is base64 after that; any other is used as it is. */
export function sign(secret: string, text: string): string {
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
  // Loaded only for a signature: it takes 2 MB.
  return process.getBuiltinModule('node:crypto').createHmac('sha256', key).update(text).digest('base64');
}
