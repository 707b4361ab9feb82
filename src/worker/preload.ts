/**
 * Loaded by Node.js ahead of the application (`--require`). Finds out what this process is: the worker, a package manager
 * that will start it, or none of our business. Every descendant with our NODE_OPTIONS comes here, so it looks before it loads.
 */
import { env } from '../shared/protocol.ts';
import { withoutPreload } from '../shared/node-options.ts';
import { readSettings } from './environment.ts';
import { openBundle } from './bundle.ts';
import { findLauncher } from './launcher/find-launcher.ts';
import { startManaged } from './managed.ts';
import { publishRuntime } from './runtime.ts';

/** Takes out of the environment what is for this process alone, so that its descendants are untouched. */
function consume(environment: NodeJS.ProcessEnv, preloadPath: string): void {
  for (const name of [env.listeners, env.health, env.master]) Reflect.deleteProperty(environment, name);
  const options = withoutPreload(environment['NODE_OPTIONS'] ?? '', preloadPath);
  if (options === '') Reflect.deleteProperty(environment, 'NODE_OPTIONS');
  else environment['NODE_OPTIONS'] = options;
  // systemd's protocol wants the pid of the process that listens, which the master cannot know before it starts one.
  if (environment['LISTEN_FDS'] !== undefined) environment['LISTEN_PID'] = String(process.pid);
}

function start(): void {
  // Threads of a worker have no channel; its descendants have other channels, but do not inherit the variable.
  if (process.env[env.listeners] === undefined || !process.channel) return;
  const settings = readSettings(process.env);
  if (settings === null) return;
  if (findLauncher(process.argv[1]) !== null) {
    openBundle('pass-through')().passThrough(settings.listeners);
    return;
  }
  consume(process.env, __filename);
  publishRuntime(startManaged(settings));
}

start();
