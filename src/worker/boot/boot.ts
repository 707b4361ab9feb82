/**
 * Runs ahead of the application and finds out what this process is: the worker, a package manager that starts the worker, or a process
 * that graceful-run leaves alone. Every descendant that inherits NODE_OPTIONS runs this file.
 */
import { env } from '../../shared/protocol.ts';
import { listenersOfMainThread, readSettings } from './environment.ts';
import { openBundle } from './bundle.ts';
import { consume, hideArguments, ownVariables } from './hide-preload.ts';
import { findLauncher, findMainScript } from '../launcher/find-launcher.ts';
import { inspectInheritance } from '../launcher/inheritance.ts';
import { passOn } from '../launcher/pass-on.ts';
import { startManaged } from './start-managed.ts';
import { publishRuntime } from '../api/runtime.ts';

/** Provided by preload.ts: stores V8's code of this file for the next worker; null if it is stored already. */
declare const keepCode: (() => void) | null;

const refusal = () => openBundle('refuse-to-listen')();

function start(): void {
  const { env: environment } = process;
  hideArguments(__filename);
  // Neither a worker's threads nor its descendants have the variable.
  if (environment[env.listeners] === undefined) {
    const inherited = listenersOfMainThread(environment);
    if (inherited.length > 0) refusal().refuseInThread(inherited);
    return;
  }
  const settings = readSettings(environment);
  if (settings === null) return;
  const { listeners } = settings;
  const inheritance = inspectInheritance(listeners);
  if (!inheritance.isWhole) {
    refusal().refuseToListen(listeners, inheritance);
    return;
  }
  const variables = Object.fromEntries(
    ownVariables.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const { separateChannel } = inheritance;
  const inherited = { listeners, variables, listenersVariable: env.listeners, preloadPath: __filename };
  const script = findMainScript(process.argv[1]);
  const passing = passOn(inherited, separateChannel, script);
  if (findLauncher(script) !== null) {
    // A signal to the whole process group must not end the process that waits for the worker.
    process.on('SIGQUIT', () => undefined);
    return;
  }
  consume(environment, __filename);
  publishRuntime(startManaged(settings, passing, separateChannel, keepCode));
}

start();
