/** Takes over the sockets that the previous image of this process held, each once, however many programs and versions of one share it. */
import { GracefulRunError } from '../../shared/errors.ts';
import { formatSocketAddress } from '../../shared/format-address.ts';
import { holdListener, type BoundListener } from '../sockets/listener.ts';
import { newDatagramHandle } from '../sockets/new-datagram-handle.ts';
import { descriptorOnly, handleOfServed, type ServerHandle } from '../sockets/server-handle.ts';
import { removeOwn } from '../sockets/unix-listener.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { keepFromChildren } from '../system-calls/descriptor-calls.ts';
import type { ListenerRecord } from './record.ts';

/** Returns the listener of a record. Errors: `upgradeFailed`. */
export type ResumeListener = (record: ListenerRecord) => Promise<BoundListener>;

export function createListenerResumer(): ResumeListener {
  const held = new Map<number, BoundListener>();

  async function first(record: ListenerRecord): Promise<BoundListener> {
    const { name, address, backlog, fd, isUndecided, standsFor, hostName, isInherited, file } = record;
    await loadSystemCalls();
    keepFromChildren(fd);
    const handle = handleOf(record);
    if (typeof handle === 'string')
      throw new GracefulRunError(
        'upgradeFailed',
        `cannot take over the socket of ${formatSocketAddress(address)}: ${handle}`,
      );
    return holdListener(
      {
        name,
        address,
        backlog,
        fd,
        handle,
        isUndecided,
        standsFor,
        ...(hostName === null ? {} : { hostName }),
        ...(isInherited ? { isInherited } : {}),
        ...(file === null ? {} : { file }),
      },
      () => {
        if (file !== null && address.type === 'unix') removeOwn(address.path, file);
      },
    );
  }

  return async (record) => {
    const { name, backlog, fd, standsFor, hostName, slots } = record;
    const known = held.get(fd);
    const listener =
      known?.share({ name, backlog, standsFor, ...(hostName === null ? {} : { hostName }) }) ??
      (await first(record));
    held.set(fd, listener);
    if (slots !== null) await listener.slots.open(slots.fds.length + 1, slots);
    return listener;
  };
}

/** The handle for the socket, or the name of the error. */
function handleOf({ address, fd, isInherited }: ListenerRecord): ServerHandle | string {
  if (address.type !== 'udp') return handleOfServed(fd);
  if (isInherited) return descriptorOnly(fd);
  const handle = newDatagramHandle();
  return handle === null || handle.open(fd) !== 0 ? 'this Node.js cannot hold it' : handle;
}
