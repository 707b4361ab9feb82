/** The kernel's groups of processes for its scheduler, one for each session (sched(7), "The autogroup feature"). */
import { readFileSync, writeFileSync } from 'node:fs';

const setting = '/proc/sys/kernel/sched_autogroup_enabled';

/**
 * Measures while the kernel makes no such groups, if this user may turn them off. With them, every session gets the same share of the processors. A load generator
 * on the same machine would get less of them beside workers with a session each than beside workers that share one.
 */
export async function withoutAutogroups<T>(measure: () => Promise<T>): Promise<T> {
  const wasOn = isOn() && set('0');
  try {
    return await measure();
  } finally {
    if (wasOn) set('1');
  }
}

function isOn(): boolean {
  try {
    return readFileSync(setting, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

/** Returns whether it could be set. */
function set(value: '0' | '1'): boolean {
  try {
    writeFileSync(setting, value);
    return true;
  } catch {
    return false;
  }
}
