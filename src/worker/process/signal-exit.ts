/**
 * The package signal-exit is part of many others. It listens for every signal, to run what has to run at each end of the process, and
 * then sends the signal again; which signals the application itself means does not show in its listeners.
 */

/** How many listeners of each signal are those of signal-exit, as its versions 3 and 4 tell it. */
export function signalExitCount(): number {
  const emitters: readonly unknown[] = [
    Reflect.get(globalThis, Symbol.for('signal-exit emitter')),
    Reflect.get(process, '__signal_exit_emitter__'),
  ];
  return emitters.reduce<number>((sum, emitter) => {
    const count: unknown =
      typeof emitter === 'object' && emitter !== null ? Reflect.get(emitter, 'count') : 0;
    return sum + (typeof count === 'number' ? count : 0);
  }, 0);
}
