/** Which hook an event is for. Pure. */
import type { MasterEvent } from '../../shared/events.ts';
import type { HookName } from '../config/options/hook-options.ts';

/** What the earlier events of a program mean for the hooks of later ones. */
export interface HookMemory {
  /** The generation that is starting: failures of its workers are reported only as the failure of the generation. */
  readonly candidate: number | null;
  /** The generation of which workers have begun to drain, or null. `isPart`: only a part of them drains, because fewer workers are wanted. */
  readonly draining: { readonly generation: number; readonly isPart: boolean } | null;
}

export const noMemory: HookMemory = { candidate: null, draining: null };

const names = [
  'generationStarted',
  'generationReady',
  'generationFailed',
  'generationRolledBack',
  'startRefused',
  'workerFailed',
  'workerDraining',
  'stopped',
] as const;

type ForHooks = Extract<MasterEvent, { readonly event: (typeof names)[number] }>;

const known: ReadonlySet<string> = new Set(names);

function isForHooks(event: MasterEvent): event is ForHooks {
  return known.has(event.event);
}

/** The hooks for an event, in their order, and the memory after it. */
export function hooksOf(
  memory: HookMemory,
  event: MasterEvent,
): { readonly hooks: readonly HookName[]; readonly memory: HookMemory } {
  if (!isForHooks(event)) return { hooks: [], memory };
  switch (event.event) {
    case 'generationStarted':
      return { hooks: [], memory: { ...memory, candidate: event.generation } };
    case 'generationReady':
      return { hooks: ['post_ready'], memory: { ...memory, candidate: null } };
    case 'generationFailed':
      return { hooks: ['on_failure'], memory: { ...memory, candidate: null } };
    case 'generationRolledBack':
      return { hooks: ['on_rollback'], memory: { ...memory, candidate: null } };
    case 'startRefused':
      return { hooks: ['on_failure'], memory };
    case 'workerFailed':
      // If the generation is starting, its failure follows as an event of its own and says the same.
      return { hooks: event.generation === memory.candidate ? [] : ['on_failure'], memory };
    case 'workerDraining':
      return beginDrain(memory, event);
    case 'stopped':
      return {
        hooks: event.failure === null ? ['post_stop'] : ['on_fatal', 'post_stop'],
        memory: noMemory,
      };
  }
}

/** Runs pre_drain once for each generation. A single worker that is replaced or was signalled does not count: its generation keeps serving. */
function beginDrain(
  memory: HookMemory,
  { generation, reason }: Extract<ForHooks, { readonly event: 'workerDraining' }>,
): ReturnType<typeof hooksOf> {
  if (reason === 'replacement' || reason === 'signal') return { hooks: [], memory };
  const isPart = reason === 'scaleDown';
  const { draining } = memory;
  const isKnown = draining?.generation === generation && (isPart || !draining.isPart);
  return { hooks: isKnown ? [] : ['pre_drain'], memory: { ...memory, draining: { generation, isPart } } };
}
