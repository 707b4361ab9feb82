/**
 * The mark of a connection that this worker makes to itself, in memory: nobody outside is served over it, so it is neither
 * counted nor waited for. Two bundles have to agree on it, hence the registered symbol.
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
