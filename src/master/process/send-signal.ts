/** kill(2), for processes that may have ended meanwhile. */
import { systemCode } from '../../shared/errors.ts';

/** Sends a signal by kill(2). Returns whether it was sent. */
export function sendSignal(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    const code = systemCode(error);
    // ESRCH: the process is gone. EPERM: it belongs to another user, as behind sudo; on macOS, a group of zombies.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    return false;
  }
}
