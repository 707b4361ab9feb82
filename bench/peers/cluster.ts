/** node:cluster with the usual recipe, and the same with http-terminator in the workers. */
import { EventEmitter, once } from 'node:events';
import { freePort } from '../../test/helpers/plain-client.ts';
import { appPath } from '../processes.ts';
import { childrenOf } from '../proc.ts';
import { launch, packageVersion, patienceMs, stopWithWorkers, untilServing } from './launch.ts';
import { webSocketEnvironment } from './work-environment.ts';
import type { RunningTool, StartTool, Tool } from './tool.ts';

export const cluster: Tool = {
  name: 'node:cluster',
  setup:
    'the usual recipe (bench/apps/cluster-primary.cjs): fork, wait for `listening`, tell the old worker to `server.close()`, disconnect it',
  version: () => process.versions.node,
  isReloadable: true,
  hasMaster: true,
  canWebSockets: true,
  start: (options) => start('cluster-worker.cjs', options),
};

export const httpTerminator: Tool = {
  name: 'http-terminator',
  setup:
    'it ends a server but does not start one. So the recipe of node:cluster starts the next one, and the old worker calls `terminate()` instead of `server.close()`',
  version: () => packageVersion('http-terminator'),
  isReloadable: true,
  // http-terminator has no master of its own: the process that stays is the primary of node:cluster.
  hasMaster: false,
  canWebSockets: true,
  start: (options) => start('terminator-worker.cjs', options),
};

async function start(worker: string, { workers, webSockets = false }: StartTool): Promise<RunningTool> {
  const port = await freePort();
  // It sends a message when all workers serve, and again after each reload.
  const messages = new EventEmitter();
  const message = (): Promise<unknown> =>
    once(messages, 'message', { signal: AbortSignal.timeout(patienceMs) });
  const serving = message();
  const primary = launch(
    process.execPath,
    [appPath('cluster-primary.cjs'), appPath(worker), String(workers)],
    { env: { PORT: String(port), ...webSocketEnvironment(webSockets) }, ipc: true },
    (child) => child.on('message', () => messages.emit('message')),
  );
  await untilServing(primary, port);
  await serving;
  const workerPids = (): readonly number[] => childrenOf(primary.pid);
  return {
    port,
    masterPids: () => [primary.pid],
    workerPids,
    async reload() {
      // The call throws if the primary has crashed.
      process.kill(primary.pid, 'SIGHUP');
      await message();
    },
    startAgain: primary.again,
    stop: () => stopWithWorkers(primary, workerPids),
  };
}
