/**
 * Runs ahead of the application and finds out what this process is: the worker, a package manager that starts the worker, or a process
 * that graceful-run leaves alone. Every descendant that inherits NODE_OPTIONS runs this file.
 */
import { env } from '../../shared/protocol.ts';
import { withoutPreload, withoutPreloadArguments } from '../../shared/node-options.ts';
import { listenersOfMainThread, readSettings } from './environment.ts';
import { openBundle } from './bundle.ts';
import { findLauncher } from '../launcher/find-launcher.ts';
import { inspectInheritance } from '../launcher/inheritance.ts';
import { shimFolder } from '../launcher/extend-start.ts';
import { passOn } from '../launcher/pass-on.ts';
import { startManaged } from './start-managed.ts';
import { publishRuntime } from '../api/runtime.ts';

/** Provided by preload.ts: stores V8's code of this file for the next worker; null if it is stored already. */
declare const keepCode: (() => void) | null;

/** The variables for this process alone. */
const ownVariables = [env.listeners, env.health, env.maxRequests, env.master, env.channelLock, env.codeCache];

/** Removes from the environment what descendants must not see. */
function consume(environment: NodeJS.ProcessEnv, preloadPath: string): void {
  const { PATH: path } = environment;
  const shim = shimFolder(preloadPath);
  if (path?.includes(shim) === true)
    environment['PATH'] = path
      .split(':')
      .filter((folder) => folder !== shim)
      .join(':');
  for (const name of ownVariables) Reflect.deleteProperty(environment, name);
  const options = withoutPreload(environment['NODE_OPTIONS'] ?? '', preloadPath);
  if (options === '') Reflect.deleteProperty(environment, 'NODE_OPTIONS');
  else environment['NODE_OPTIONS'] = options;
  // systemd's protocol names the pid of the process that listens, which the master cannot know before it starts that process.
  if (environment['LISTEN_FDS'] !== undefined) environment['LISTEN_PID'] = String(process.pid);
}

/** Hides the preload on the command line, where it is if NODE_OPTIONS cannot hold it: applications pass execArgv to their children. */
function hideArguments(preloadPath: string): void {
  if (!process.execArgv.includes(preloadPath)) return;
  process.execArgv = [...withoutPreloadArguments(process.execArgv, preloadPath)];
}

const refusal = () => openBundle('refuse-to-listen')();

function start(): void {
  const { env: environment } = process;
  hideArguments(__filename);
  // Neither threads of a worker nor its descendants have the variable.
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
  const passing = passOn(inherited, separateChannel);
  if (findLauncher(process.argv[1]) !== null) {
    // A signal to the whole process group must not end the process that waits for the worker.
    process.on('SIGQUIT', () => undefined);
    return;
  }
  consume(environment, __filename);
  publishRuntime(startManaged(settings, passing, separateChannel, keepCode));
}

start();
