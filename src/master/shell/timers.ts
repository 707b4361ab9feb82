/**
 * The timers that the lifecycle armed, by their key. A timer that has fired or was disarmed is forgotten.
 *
 * When the master was stopped or starved for a while, a timer is due before the signals and messages are read that have
 * waited. So one that is due waits for another turn of the event loop, in which they may still disarm or replace it.
 */
import type { TimerKey } from '../lifecycle/events.ts';
import type { Platform } from './platform.ts';

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
      const id = idOf(key);
      const due = (): void => {
        const passed = (): void => {
          cancels.delete(id);
          fire(key);
        };
        cancels.set(id, arm(0, passed));
      };
      cancels.set(id, arm(delayMs, due));
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
    case 'drain':
    case 'kill':
      return `${key.timer} ${key.worker}`;
    case 'restart':
      return `restart ${key.generation} ${key.slot}`;
    case 'settle':
      return 'settle';
  }
}
