/** Commands that are run when something happens to a program: how they are written, and what they become in the plan. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import type { WebhookOptions } from './webhook-options.ts';
import { defaults } from './defaults.ts';

/** The hooks of a program in code. */
export interface HookOptions {
  /** Commands that /bin/sh runs when something happens (docs/hooks.md). Default: none. */
  readonly hooks?: HookCommands;
  /** How long a hook may take; then it is killed with everything that it has started. 1ms to 24h. Default 10s. */
  readonly hookTimeout?: string;
  /** Where events are sent to (docs/hooks.md). Default: nowhere. */
  readonly webhook?: WebhookOptions;
}

export interface HookCommands {
  /** Before the workers of a start or a reload are started: they wait for it. If it fails, so does the start or the reload. */
  readonly preStart?: string;
  /** A new generation serves. */
  readonly postReady?: string;
  /** The workers of a generation begin to drain. */
  readonly preDrain?: string;
  /** The program has stopped. */
  readonly postStop?: string;
  /** A generation has failed, or a worker has ended unexpectedly. */
  readonly onFailure?: string;
  /** A generation was rolled back. */
  readonly onRollback?: string;
  /** The program was given up. */
  readonly onFatal?: string;
}

export type HookName =
  'pre_start' | 'post_ready' | 'pre_drain' | 'post_stop' | 'on_failure' | 'on_rollback' | 'on_fatal';

/** The options of code, by the names of config files and of `GRACEFUL_RUN_HOOK`. */
export const hookNames: { readonly [Name in HookName]: keyof HookCommands } = {
  pre_start: 'preStart',
  post_ready: 'postReady',
  pre_drain: 'preDrain',
  post_stop: 'postStop',
  on_failure: 'onFailure',
  on_rollback: 'onRollback',
  on_fatal: 'onFatal',
};

export interface HooksPlan {
  readonly commands: { readonly [Name in HookName]?: string };
  readonly timeoutMs: number;
}

/** Compiles the hooks of a program; null if it has none. */
export function hooksPlan({
  hooks = {},
  hookTimeout = defaults.hookTimeout,
}: {
  readonly hooks?: { readonly [Name in keyof HookCommands]?: string | undefined } | undefined;
  readonly hookTimeout?: string | undefined;
}): HooksPlan | null {
  const commands = Object.entries(hookNames).flatMap(([name, option]) => {
    const written = hooks[option];
    return written === undefined ? [] : [[name, written] as const];
  });
  if (commands.length === 0) return null;
  return Object.freeze({
    commands: Object.freeze(Object.fromEntries(commands)),
    timeoutMs: parseDuration(hookTimeout) ?? 0,
  });
}
