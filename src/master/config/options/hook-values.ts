/** What the values of hooks and webhooks may be. Pure. */
import * as z from 'zod/mini';
import { type HookCommands, hookNames, type HookName } from './hook-options.ts';
import { duration } from './value-schemas.ts';
import { isWebhookEvent, webhookEvents, type WebhookOptions } from './webhook-options.ts';

const wantedUrl = 'a URL that begins with https:// or http://';
const wantedEvents = `a list of events: ${webhookEvents.join(', ')}`;
const wantedSecret = 'a string that is not empty';

export const webhookValue: z.ZodMiniType<WebhookOptions> = z.strictObject(
  {
    url: z
      .string(wantedUrl)
      .check(z.refine((url) => /^https?:\/\/[^\s/]/.test(url) && URL.canParse(url), wantedUrl)),
    secret: z.optional(z.string(wantedSecret).check(z.minLength(1, wantedSecret))),
    events: z.optional(
      z.array(
        z.string(wantedEvents).check(z.refine((name) => isWebhookEvent(name), wantedEvents)),
        wantedEvents,
      ),
    ),
  },
  'a table with the url',
);

export interface HookValues {
  readonly hooks: { readonly [Name in keyof HookCommands]?: string | undefined };
  readonly hookTimeout: string;
  readonly webhook: WebhookOptions;
}

const wantedHooks = `a table of commands: ${Object.keys(hookNames).join(', ')}`;
const command = z.optional(z.string('a command').check(z.minLength(1, 'a command')));

export const hookValues: { readonly [Name in keyof HookValues]: z.ZodMiniType<HookValues[Name]> } = {
  hooks: z.strictObject(
    {
      preStart: command,
      postReady: command,
      preDrain: command,
      postStop: command,
      onFailure: command,
      onRollback: command,
      onFatal: command,
    },
    wantedHooks,
  ),
  hookTimeout: duration(1),
  webhook: webhookValue,
};

/** The hooks as a config file writes them; converted to the option of the embedding API. */
export const hooksOfFile: z.ZodMiniType = z.pipe(
  z.strictObject(
    {
      pre_start: command,
      post_ready: command,
      pre_drain: command,
      post_stop: command,
      on_failure: command,
      on_rollback: command,
      on_fatal: command,
    },
    wantedHooks,
  ),
  z.transform((hooks) =>
    Object.fromEntries(
      Object.entries(hookNames).flatMap(([key, name]) => {
        const written = hooks[key as HookName];
        return written === undefined ? [] : [[name, written]];
      }),
    ),
  ),
);
