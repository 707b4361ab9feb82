/** The work behind a proxy. It stays as it is while the proxy reloads. */
import { freePort } from '../../test/helpers/plain-client.ts';
import { appPath } from '../processes.ts';
import { launch, untilServing } from './launch.ts';
import { webSocketEnvironment } from './work-environment.ts';
import type { StartTool } from './tool.ts';

export interface Backend {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

export async function startBackend({ webSockets = false }: StartTool): Promise<Backend> {
  const port = await freePort();
  const env = { PORT: String(port), ...webSocketEnvironment(webSockets) };
  const server = launch(process.execPath, [appPath('serve.cjs')], { env, stopSignal: 'SIGKILL' });
  await untilServing(server, port);
  return { port, stop: server.stop };
}
