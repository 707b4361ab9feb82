/**
 * The asynchronous context of a piece of the application: what AsyncLocalStorage, domains and other users of async_hooks see.
 * Whatever calls the application back later does so in the context in which the application asked for it.
 */
export interface Context {
  run<Result>(action: () => Result): Result;
}

/** The context of this moment. */
export function currentContext(): Context {
  // Not by import: this costs the boot of programs nothing that Node.js has not loaded by itself.
  const { AsyncResource } = process.getBuiltinModule('node:async_hooks');
  const resource = new AsyncResource('graceful-run', { requireManualDestroy: true });
  return { run: (action) => resource.runInAsyncScope(action) };
}

/** The function, which runs in the context of this moment whenever it is called. */
export function inCurrentContext<Args extends readonly unknown[], Result>(
  action: (...args: Args) => Result,
): (...args: Args) => Result {
  const context = currentContext();
  return (...args) => context.run(() => action(...args));
}
