/**
 * Whether the terminal that this process was started in has been closed. The kernel says that with SIGHUP, too, which for a daemon means
 * reload: a master that took it for that would live on unseen, and hold the port.
 */
import { isatty } from 'node:tty';

/**
 * Answers, whenever it is asked, whether all of stdin, stdout and stderr that are a terminal now are none any more: after a hangup
 * tcgetattr(3) fails with EIO. Never for a process without one, as under systemd or nohup.
 */
export function watchTerminal(): () => boolean {
  const terminals = [0, 1, 2].filter(isatty);
  return () => terminals.length > 0 && !terminals.some(isatty);
}
