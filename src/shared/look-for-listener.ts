/** Whether a process listens on a UNIX socket. */
import { connect } from 'node:net';
import { systemCode } from './errors.ts';

export type Listener =
  /** It may still be too busy to answer. */
  | 'listening'
  /** There may be one, and this user may not connect to it. */
  | 'forbidden'
  | 'absent';

/** Never rejects. */
export function lookFor(path: string): Promise<Listener> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('listening');
    });
    socket.once('error', (error) => {
      const code = systemCode(error);
      // EAGAIN: its accept queue is full, so it is there.
      resolve(code === 'EAGAIN' ? 'listening' : code === 'EACCES' ? 'forbidden' : 'absent');
    });
  });
}
