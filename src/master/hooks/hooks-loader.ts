/** The hooks and the webhook of one program: their code is loaded when a plan has the first of them. */
import type { EventRecord, MasterEvent } from '../../shared/events.ts';
import { internalError } from '../../shared/internal-error.ts';
import type { WebhookPlan } from '../config/options/webhook-options.ts';
import type { Preparation } from '../program/start-gate.ts';
import type { ProgramHooks, ProgramHooksParts } from './program-hooks.ts';
import type { Webhook } from './webhook.ts';

export interface HooksLoaderParts extends Pick<ProgramHooksParts, 'name' | 'environment' | 'tell'> {
  /** The plan of the program at the moment of the call. */
  readonly plan: () => ReturnType<ProgramHooksParts['plan']> & { readonly webhook: WebhookPlan | null };
}

export interface HooksLoader {
  /** Runs the hooks for an event, and sends it to the webhook. `time`: when it happened, in ms since 1970. */
  observe(event: MasterEvent, time: number): void;
  /** Runs pre_start, or returns null if there is none. `event`: the event about the generation that is to start. */
  beforeStart(event: () => EventRecord): Preparation | null;
  /** What is still to be done: a hook that runs or waits, or an event that is to be sent; null if nothing is. */
  unfinished(): 'hook' | 'webhook' | null;
  /** Called at the end of the program. Resolves when no hook is left to run and no event left to send. */
  done(): Promise<void>;
}

export function createHooksLoader({ name, plan, environment, tell }: HooksLoaderParts): HooksLoader {
  let hooks: Promise<ProgramHooks> | null = null;
  let webhook: Promise<Webhook> | null = null;
  let loadedHooks: ProgramHooks | null = null;
  let loadedWebhook: Webhook | null = null;
  /** How many events have not reached their hooks yet, because the code is being loaded. */
  let onTheWay = 0;

  async function loadHooks(): Promise<ProgramHooks> {
    hooks ??= import('./program-hooks.ts').then(
      ({ createProgramHooks }) => (loadedHooks = createProgramHooks({ name, plan, environment, tell })),
    );
    return hooks;
  }

  async function loadWebhook(): Promise<Webhook> {
    webhook ??= import('./webhook.ts').then(
      ({ createWebhook }) => (loadedWebhook = createWebhook({ plan: () => plan().webhook, tell })),
    );
    return webhook;
  }

  function noteBug(error: unknown): void {
    tell(internalError(error));
  }

  function give(loading: Promise<Pick<ProgramHooks, 'observe'>>, record: EventRecord): void {
    onTheWay += 1;
    loading
      .then((own) => {
        own.observe(record);
      })
      .catch(noteBug)
      .finally(() => {
        onTheWay -= 1;
      });
  }

  return {
    observe(event, time) {
      const planned = plan();
      // Hooks of an earlier plan may still run.
      const hasHooks = hooks !== null || planned.hooks !== null;
      if (!hasHooks && planned.webhook === null) return;
      const record = { ...event, program: name(), time };
      if (hasHooks) give(loadHooks(), record);
      if (planned.webhook !== null) give(loadWebhook(), record);
    },
    beforeStart(event) {
      if (plan().hooks?.commands.pre_start === undefined) return null;
      const record = event();
      let isWanted = true;
      let cancel = (): void => {
        isWanted = false;
      };
      const failure = loadHooks().then(async (own) => {
        if (!isWanted) return null;
        const before = own.beforeStart(record);
        ({ cancel } = before);
        return before.failure;
      });
      return {
        failure,
        cancel: () => {
          cancel();
        },
      };
    },
    unfinished() {
      if (onTheWay > 0 || loadedHooks?.isBusy() === true) return 'hook';
      return loadedWebhook?.isBusy() === true ? 'webhook' : null;
    },
    async done() {
      await (await hooks)?.done();
      await (await webhook)?.done();
    },
  };
}
