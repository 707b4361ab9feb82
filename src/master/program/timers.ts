/** The timers that the lifecycle armed, by their key. A timer that has fired or was disarmed is forgotten. */
import type { TimerRecord } from '../handover/record.ts';
import type { TimerKey } from './lifecycle/inputs.ts';
import type { Platform } from '../process/platform.ts';

export interface Timers {
  /** Arms a timer. It replaces a timer with the same key. */
  arm(key: TimerKey, delayMs: number, fire: (key: TimerKey) => void): void;
  disarm(key: TimerKey): void;
  disarmAll(): void;
  /** The timers that are armed. */
  armed(): readonly TimerRecord[];
}

export function createTimers({ arm, clock }: Pick<Platform, 'arm' | 'clock'>): Timers {
  const timers = new Map<string, TimerRecord & { readonly cancel: () => void }>();
  const disarm = (key: TimerKey): void => {
    const id = idOf(key);
    timers.get(id)?.cancel();
    timers.delete(id);
  };
  return {
    arm: (key, delayMs, fire) => {
      disarm(key);
      const cancel = arm(delayMs, () => {
        timers.delete(idOf(key));
        fire(key);
      });
      timers.set(idOf(key), { key, dueAt: clock.monotonicMs() + delayMs, cancel });
    },
    disarm,
    disarmAll: () => {
      for (const { cancel } of timers.values()) cancel();
      timers.clear();
    },
    armed: () => [...timers.values()].map(({ key, dueAt }) => ({ key, dueAt })),
  };
}

function idOf(key: TimerKey): string {
  switch (key.timer) {
    case 'ready':
    case 'admit':
    case 'drain':
    case 'kill':
      return `${key.timer} ${key.worker}`;
    case 'restart':
      return `restart ${key.generation} ${key.slot}`;
    case 'retry':
    case 'replacement':
    case 'rollout':
    case 'debounce':
    case 'probation':
      return key.timer;
  }
}
