/** The descriptor of a socket, pipe or server of Node.js, which keeps it in an undocumented property (found on 20, 22, 24 and 26). */

/** Null if it is closed, or was never open. */
export function handleDescriptor(owner: object | null | undefined): number | null {
  const handle: unknown = owner == null ? null : Reflect.get(owner, '_handle');
  return typeof handle === 'object' && handle !== null ? openDescriptor(handle) : null;
}

/** The descriptor of a handle of libuv; null if it is closed. */
export function openDescriptor(handle: object): number | null {
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' && fd >= 0 ? fd : null;
}
