/** The same application in one Node.js process without any tool: the baseline for measurements without reloads. */
import { freePort } from '../../test/helpers/plain-client.ts';
import { appPath } from '../processes.ts';
import { launch, untilServing } from './launch.ts';
import type { Tool } from './tool.ts';

export const bare: Tool = {
  name: 'one bare process',
  setup: '`node serve.cjs`: one process, no reload',
  version: () => process.versions.node,
  isReloadable: false,
  hasMaster: false,
  canWebSockets: false,
  async start() {
    const port = await freePort();
    const server = launch(process.execPath, [appPath('serve.cjs')], { env: { PORT: String(port) } });
    await untilServing(server, port);
    return {
      port,
      masterPids: () => [],
      workerPids: () => [server.pid],
      reload: () => Promise.reject(new Error('a bare process cannot reload')),
      startAgain: () => Promise.reject(new Error('a bare process has no master')),
      stop: server.stop,
    };
  },
};
