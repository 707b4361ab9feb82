/** A webhook of a program: how it is written, and what it becomes in the plan. Pure. */
import type { MasterEvent } from '../../../shared/events.ts';

/** The options of a webhook, in code and in config files. */
export interface WebhookOptions {
  /** Where the events are sent to, by POST: `https://…` or `http://…`. */
  readonly url: string;
  /** Signs the requests, as Standard Webhooks does (HMAC-SHA256). `whsec_` and base64, or any string. Default: they are not signed. */
  readonly secret?: string | undefined;
  /**
   * Names of the events that are sent. Default: those about generations that serve or fail, about workers that fail, and about programs that cannot start
   * or have stopped.
   */
  readonly events?: readonly string[] | undefined;
}

export interface WebhookPlan {
  readonly url: string;
  readonly secret: string | null;
  readonly events: readonly WebhookEvent[];
}

export type WebhookEvent = Extract<
  MasterEvent['event'],
  | 'generationReady'
  | 'generationSettled'
  | 'generationFailed'
  | 'generationRolledBack'
  | 'workerFailed'
  | 'startRefused'
  | 'stopped'
  | 'reloadRequested'
  | 'stopRequested'
  | 'generationStarted'
  | 'workerCountChanged'
  | 'restartScheduled'
  | 'workerDraining'
  | 'stillDraining'
  | 'workerExited'
  | 'hookEnded'
  | 'runStarted'
  | 'runEnded'
  | 'runTimedOut'
  | 'runSkipped'
  | 'runsMissed'
>;

/** The events that a webhook can send. Those that are sent unless others are named come first. */
export const webhookEvents: readonly WebhookEvent[] = [
  'generationReady',
  'generationSettled',
  'generationFailed',
  'generationRolledBack',
  'workerFailed',
  'startRefused',
  'stopped',
  'reloadRequested',
  'stopRequested',
  'generationStarted',
  'workerCountChanged',
  'restartScheduled',
  'workerDraining',
  'stillDraining',
  'workerExited',
  'hookEnded',
  'runStarted',
  'runEnded',
  'runTimedOut',
  'runSkipped',
  'runsMissed',
];

const usual: readonly WebhookEvent[] = webhookEvents.slice(0, 7);

export function isWebhookEvent(name: string): name is WebhookEvent {
  return webhookEvents.some((one) => one === name);
}

/** Compiles the webhook of a program; null if it has none. */
export function webhookPlan(options: WebhookOptions | undefined): WebhookPlan | null {
  if (options === undefined) return null;
  const { url, secret, events } = options;
  return Object.freeze({
    url,
    secret: secret ?? null,
    events: Object.freeze(events?.filter(isWebhookEvent) ?? usual),
  });
}
