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
  /** Called at the end of the program. Resolves when no hook is left to run and no event left to send. */
  done(): Promise<void>;
}

export function createHooksLoader({ name, plan, environment, tell }: HooksLoaderParts): HooksLoader {
  let hooks: Promise<ProgramHooks> | null = null;
  let webhook: Promise<Webhook> | null = null;

  async function loadHooks(): Promise<ProgramHooks> {
    hooks ??= import('./program-hooks.ts').then(({ createProgramHooks }) =>
      createProgramHooks({ name, plan, environment, tell }),
    );
    return hooks;
  }

  async function loadWebhook(): Promise<Webhook> {
    webhook ??= import('./webhook.ts').then(({ createWebhook }) =>
      createWebhook({ plan: () => plan().webhook, tell }),
    );
    return webhook;
  }

  function noteBug(error: unknown): void {
    tell(internalError(error));
  }

  return {
    observe(event, time) {
      const planned = plan();
      // Hooks of an earlier plan may still run.
      const hasHooks = hooks !== null || planned.hooks !== null;
      if (!hasHooks && planned.webhook === null) return;
      const record = { ...event, program: name(), time };
      if (hasHooks)
        loadHooks()
          .then((own) => {
            own.observe(record);
          })
          .catch(noteBug);
      if (planned.webhook !== null)
        loadWebhook()
          .then((own) => {
            own.observe(record);
          })
          .catch(noteBug);
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
    async done() {
      await (await hooks)?.done();
      await (await webhook)?.done();
    },
  };
}
