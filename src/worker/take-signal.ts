/**
 * A signal that is meant for us alone. An application that ends itself at SIGQUIT, as one without a master has to, would
 * cut what the drain is there to finish; its listeners have their turn at the end (clean-up.ts).
 * It must not know what the signal means.
 */
import { keepListening } from './keep-listening.ts';

/**
 * Calls `listener`, and nobody else, when the signal comes; the application's own listeners stay registered. Must be the
 * first to listen for it: Node.js binds `process.emit`, as it is at that moment, to the signal (20, 22, 24 and 26;
 * not documented). A Node.js that does otherwise calls everybody.
 */
export function takeSignal(signal: NodeJS.Signals, listener: () => void): void {
  const own = Object.getOwnPropertyDescriptor(process, 'emit');
  const emit: unknown = Reflect.get(process, 'emit');
  const emitToUs = (event: unknown, ...args: unknown[]): unknown => {
    if (event !== signal) return Reflect.apply(emit as () => unknown, process, [event, ...args]);
    listener();
    return true;
  };
  Object.defineProperty(process, 'emit', { value: emitToUs, configurable: true, writable: true });
  keepListening(signal, listener);
  if (own === undefined) Reflect.deleteProperty(process, 'emit');
  else Object.defineProperty(process, 'emit', own);
}
