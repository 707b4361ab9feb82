/** A timer of the wall clock, for programs that run by the clock. */
import { openWallTimer } from '../system-calls/wall-timer.ts';
import { arm } from './arm-timer.ts';

/** How often the wall clock is checked without such timers: the machine may have slept, or the clock may have been set. */
const lookMs = 600_000;

/**
 * Calls back once when the wall clock shows `at` (ms since 1970). It may call back earlier, if the clock was set, or has to be checked. It keeps the
 * process alive.
 */
export function armWall(at: number, callback: () => void): () => void {
  let isWanted = true;
  let cancel = (): void => undefined;
  const fire = (): void => {
    if (isWanted) callback();
  };
  const wait = (): void => {
    cancel = arm(Math.max(0, Math.min(at - Date.now(), lookMs)), fire);
  };
  void openWallTimer(at, fire).then(
    (close) => {
      if (!isWanted) close?.();
      else if (close === null) wait();
      else cancel = close;
    },
    () => {
      if (isWanted) wait();
    },
  );
  return () => {
    isWanted = false;
    cancel();
  };
}
