/**
 * The asynchronous context of the application's code, which AsyncLocalStorage, domains and other users of async_hooks see. Code that calls
 * the application back later does so in the context in which the callback was given.
 */
export interface Context {
  run<Result>(action: () => Result): Result;
}

/** Returns the current asynchronous context. */
export function currentContext(): Context {
  // Not imported: Node.js has already loaded it when it is needed.
  const { AsyncResource } = process.getBuiltinModule('node:async_hooks');
  const resource = new AsyncResource('graceful-run', { requireManualDestroy: true });
  return { run: (action) => resource.runInAsyncScope(action) };
}

/** Wraps the function so that every call runs in the context that is current now. */
export function inCurrentContext<Args extends readonly unknown[], Result>(
  action: (...args: Args) => Result,
): (...args: Args) => Result {
  const context = currentContext();
  return (...args) => context.run(() => action(...args));
}
