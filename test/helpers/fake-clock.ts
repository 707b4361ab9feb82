/** A wall clock and one that never goes back, which only the test moves; the machine can sleep, and the wall clock can be set. */
import type { Platform } from '../../src/master/process/platform.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export interface FakeClock {
  readonly platform: Pick<Platform, 'arm' | 'armWall' | 'clock'>;
  wall(): number;
  /** How many timers of the wall clock are armed. */
  armed(): number;
  /** How often one has fired. */
  wakeUps(): number;
  /** Time goes by until the wall clock shows this. */
  until(time: string): void;
  /** The machine sleeps until then. */
  sleepUntil(time: string): void;
  /** The wall clock is set. */
  set(time: string): void;
}

export function createFakeClock(start: string): FakeClock {
  let [wall, mono] = [Date.parse(start), 0];
  let wakeUps = 0;
  const timers = new Set<Timer>();
  const wallTimers = new Set<Timer>();

  const armIn =
    (set: Set<Timer>) =>
    (at: number, callback: () => void): (() => void) => {
      const timer = { at, callback };
      set.add(timer);
      return () => set.delete(timer);
    };

  function fire(isSet = false): void {
    for (const timer of [...timers]) if (timer.at <= mono && timers.delete(timer)) timer.callback();
    for (const timer of [...wallTimers])
      if ((isSet || timer.at <= wall) && wallTimers.delete(timer)) {
        wakeUps += 1;
        timer.callback();
      }
  }

  return {
    platform: {
      clock: { wallMs: () => wall, monotonicMs: () => mono },
      arm: (delayMs, callback) => armIn(timers)(mono + delayMs, callback),
      armWall: (at, callback) => armIn(wallTimers)(at, callback),
    },
    wall: () => wall,
    armed: () => wallTimers.size,
    wakeUps: () => wakeUps,
    until(time) {
      const end = Date.parse(time);
      for (;;) {
        const steps = [
          ...[...timers].map(({ at }) => at - mono),
          ...[...wallTimers].map(({ at }) => at - wall),
          end - wall,
        ];
        const step = Math.max(0, Math.min(...steps));
        wall += step;
        mono += step;
        fire();
        if (wall >= end) return;
      }
    },
    sleepUntil(time) {
      wall = Date.parse(time);
      fire();
    },
    set(time) {
      wall = Date.parse(time);
      fire(true);
    },
  };
}
