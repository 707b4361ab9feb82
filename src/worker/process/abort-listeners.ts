/** Calls each listener of an AbortSignal in the asynchronous context in which it was added. */
import { isRecord } from '../../shared/protocol.ts';
import { inCurrentContext } from './async-context.ts';

type Listener = (event: unknown) => unknown;

/** Binds listeners of the signal to their context: every listener that the application adds after this call is called in the context in which it was added. */
export function bindListeners(signal: AbortSignal): void {
  const bound = new WeakMap<object, Listener>();
  replace(signal, 'addEventListener', ([type, listener, options, ...rest]) => {
    if (!isListener(listener) || isOfNode(options)) return [type, listener, options, ...rest];
    // A listener that is added twice is called once.
    const known = bound.get(listener) ?? inCurrentContext((event: unknown) => call(signal, listener, event));
    bound.set(listener, known);
    return [type, known, options, ...rest];
  });
  replace(signal, 'removeEventListener', ([type, listener, ...rest]) => {
    const known = isListener(listener) ? bound.get(listener) : undefined;
    if (known === undefined || !isListener(listener)) return [type, listener, ...rest];
    bound.delete(listener);
    return [type, known, ...rest];
  });
}

function replace(
  signal: AbortSignal,
  name: 'addEventListener' | 'removeEventListener',
  change: (args: readonly unknown[]) => unknown[],
): void {
  const original: unknown = Reflect.get(signal, name);
  if (typeof original !== 'function') return;
  const value = (...args: readonly unknown[]): unknown =>
    Reflect.apply(original, signal, change(args)) as unknown;
  Object.defineProperty(signal, name, { value, configurable: true, writable: true });
}

/** True for options of Node.js's own listeners: it marks them with symbols, and holds some of them weakly, so they stay unchanged. */
function isOfNode(options: unknown): boolean {
  return isRecord(options) && Object.getOwnPropertySymbols(options).length > 0;
}

function isListener(value: unknown): value is object {
  return typeof value === 'function' || isRecord(value);
}

function call(signal: AbortSignal, listener: object, event: unknown): unknown {
  if (typeof listener === 'function') return Reflect.apply(listener, signal, [event]) as unknown;
  const handle: unknown = Reflect.get(listener, 'handleEvent');
  return typeof handle === 'function' ? (Reflect.apply(handle, listener, [event]) as unknown) : undefined;
}
