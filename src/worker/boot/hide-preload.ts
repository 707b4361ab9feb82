/** Removes from this process what loaded the preload, and the variables that are for this process alone: neither the application nor its children see them. */
import { env } from '../../shared/protocol.ts';
import { withoutPreload, withoutPreloadArguments } from '../../shared/node-options.ts';
import { shimFolder } from '../launcher/extend-start.ts';

/** The variables for this process alone. */
export const ownVariables: readonly string[] = [
  env.listeners,
  env.health,
  env.maxRequests,
  env.master,
  env.channelLock,
  env.codeCache,
  env.heartbeat,
];

/** Removes from the environment what descendants must not see. */
export function consume(environment: NodeJS.ProcessEnv, preloadPath: string): void {
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
export function hideArguments(preloadPath: string): void {
  if (!process.execArgv.includes(preloadPath)) return;
  process.execArgv = [...withoutPreloadArguments(process.execArgv, preloadPath)];
}
