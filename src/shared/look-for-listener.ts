/** Checks whether a process listens on a UNIX socket. */
import { connect } from 'node:net';
import { systemCode } from './errors.ts';

export type Listener =
  /** A process listens. It may still be too busy to answer. */
  | 'listening'
  /** A process may listen, but this user may not connect to it. */
  | 'forbidden'
  | 'absent';

/** Checks the socket at this path. Never rejects. */
export function lookFor(path: string): Promise<Listener> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('listening');
    });
    socket.once('error', (error) => {
      const code = systemCode(error);
      // EAGAIN means that its accept queue is full, so a process listens.
      resolve(code === 'EAGAIN' ? 'listening' : code === 'EACCES' ? 'forbidden' : 'absent');
    });
  });
}
