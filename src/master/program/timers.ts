/** The timers that the lifecycle armed, by their key. A timer that has fired or was disarmed is forgotten. */
import type { TimerKey } from './lifecycle/inputs.ts';
import type { Platform } from '../process/platform.ts';

export interface Timers {
  /** Replaces a timer of the same key. */
  arm(key: TimerKey, delayMs: number, fire: (key: TimerKey) => void): void;
  disarm(key: TimerKey): void;
  disarmAll(): void;
}

export function createTimers(arm: Platform['arm']): Timers {
  const cancels = new Map<string, () => void>();
  const disarm = (key: TimerKey): void => {
    const id = idOf(key);
    cancels.get(id)?.();
    cancels.delete(id);
  };
  return {
    arm: (key, delayMs, fire) => {
      disarm(key);
      const cancel = arm(delayMs, () => {
        cancels.delete(idOf(key));
        fire(key);
      });
      cancels.set(idOf(key), cancel);
    },
    disarm,
    disarmAll: () => {
      for (const cancel of cancels.values()) cancel();
      cancels.clear();
    },
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
    case 'settle':
    case 'probation':
      return key.timer;
  }
}
