/**
 * Notices that this process begins to exit: `process._exiting`, which is not documented (Node 20, 22, 24 and 26), is set by process.exit() and by an
 * uncaught error, before the listeners for 'exit' run. A listener of our own for 'exit' would be seen by the application.
 */

/** Calls `begun` once, with the exit code, ahead of the application's listeners for 'exit'; not if the process ends because nothing is left to do. */
export function whenExitBegins(begun: (code: number) => void): void {
  const property = Object.getOwnPropertyDescriptor(process, '_exiting');
  if (property?.set === undefined || property.configurable !== true) return;
  const set = property.set.bind(process);
  Object.defineProperty(process, '_exiting', {
    ...property,
    set(value: unknown) {
      set(value);
      // Only the event 'exit' has the code.
      if (value === true) process.prependOnceListener('exit', begun);
    },
  });
}
