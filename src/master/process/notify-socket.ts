/**
 * The socket to which a worker sends what sd_notify(3) says. Node.js has no AF_UNIX datagram socket, but the handle behind its UDP sockets reads one
 * (undocumented; found on 20, 22, 24 and 26): no thread, no polling. Descriptors that come along are closed by the kernel, which is what
 * the sender of BARRIER=1 waits for.
 */
import { chmodSync, chownSync, closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import { shortageHint } from '../../shared/shortage.ts';
import { newDatagramHandle } from '../sockets/new-datagram-handle.ts';
import type { NotifySocket } from './platform.ts';
import { plainReason } from '../system-calls/plain-reasons.ts';
import { bindDatagram } from '../system-calls/unix-socket-calls.ts';

/** The longest path of a UNIX socket: sun_path of unix(7), without the zero at its end. */
const maxPathBytes = 107;
const ownFolder = 'graceful-run-notify-';
let sockets = 0;
const cleaned = new Set<string>();

/**
 * A path for the socket of one worker: in `folder`, or in a folder made for it if `folder` is null or too long. (Only a folder made for it can be opened to
 * another user.)
 */
export function newNotifyPath(folder: string | null): string {
  sockets += 1;
  if (folder !== null && !cleaned.has(folder)) {
    cleaned.add(folder);
    import('./stale-notify-sockets.ts')
      .then(async ({ removeStaleNotifySockets }) => removeStaleNotifySockets(folder))
      // Stale sockets only take up space.
      .catch(() => undefined);
  }
  const path = join(folder ?? '', `notify-${process.pid}-${sockets}`);
  if (folder !== null && Buffer.byteLength(path) <= maxPathBytes) return path;
  return join(mkdtempSync(join(tmpdir(), ownFolder)), 'notify');
}

/**
 * Calls back for each datagram. `uid`: of the other user that is to write to it; the folder
 * stays this user's, so that no other one can put anything into it. Throws GracefulRunError `startFailed`.
 */
export function openNotifySocket(
  path: string,
  uid: number | null,
  received: (bytes: Uint8Array) => void,
): NotifySocket {
  rmSync(path, { force: true });
  const fd = bindDatagram(path);
  if (typeof fd === 'string') {
    remove(path);
    throw cannotOpen(fd);
  }
  try {
    giveTo(path, uid);
  } catch (error) {
    closeSync(fd);
    remove(path);
    throw cannotOpen(plainReason(systemCode(error) ?? messageOf(error)));
  }
  return readNotifySocket(path, fd, received);
}

/** Reads a socket that is open already. Throws as openNotifySocket(). */
export function readNotifySocket(
  path: string,
  fd: number,
  received: (bytes: Uint8Array) => void,
): NotifySocket {
  const handle = newDatagramHandle();
  if (handle === null || handle.open(fd) !== 0) {
    closeSync(fd);
    remove(path);
    throw cannotOpen('this Node.js cannot read it');
  }
  handle.onmessage = (length, _handle, bytes) => {
    if (length > 0 && bytes !== undefined) received(bytes);
  };
  handle.recvStart();
  handle.unref();
  return {
    fd,
    close() {
      handle.close();
      remove(path);
    },
  };
}

function giveTo(path: string, uid: number | null): void {
  // Whoever can write to it can have the worker replaced. (Others may enter the folder, if the operator has chosen it.)
  chmodSync(path, 0o600);
  if (uid === null) return;
  chownSync(path, uid, -1);
  chmodSync(dirname(path), 0o711);
}

/** Removes a socket, with its folder if that was made for it. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
    const folder = dirname(path);
    if (basename(folder).startsWith(ownFolder)) rmSync(folder, { recursive: true, force: true });
  } catch {
    // This user may not write to the directory. No process reads from the socket, and the next master removes it.
  }
}

function cannotOpen(problem: string): GracefulRunError {
  const hint = shortageHint(problem);
  return new GracefulRunError(
    'startFailed',
    `cannot open the socket for sd_notify: ${problem}`,
    hint === null ? {} : { hint },
  );
}
