/**
 * Marks a connection that this worker makes to itself, in memory, to ask for its health. It serves no client, so it is neither counted
 * nor waited for. The symbol is registered because two bundles have to agree on it.
 */
import type { Duplex } from 'node:stream';

const mark: unique symbol = Symbol.for('graceful-run.injected');

type Markable = Duplex & { [mark]?: true };

export function markInjected(socket: Markable): void {
  socket[mark] = true;
}

export function isInjected(socket: Markable): boolean {
  return socket[mark] === true;
}
