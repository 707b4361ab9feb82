/** The parts that the proxies share: a folder with their configuration, and a backend that is not reloaded. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/helpers/plain-client.ts';
import { appPath, temporaryFolder } from '../processes.ts';
import { launch, type Launched, untilServing } from './launch.ts';
import { webSocketEnvironment } from './work-environment.ts';
import type { RunningTool, StartTool } from './tool.ts';

export interface Place {
  readonly folder: string;
  /** The path of the configuration file. */
  readonly file: string;
  readonly port: number;
  /** The port of the backend. */
  readonly backendPort: number;
  readonly workers: number;
}

export interface Proxy {
  readonly configure: (place: Place) => string;
  readonly run: (place: Place) => Promise<RunningTool>;
}

export async function startProxy(options: StartTool, { configure, run }: Proxy): Promise<RunningTool> {
  const folder = temporaryFolder();
  const backendPort = await freePort();
  const backend = await startBackend(options, backendPort);
  const file = join(folder.path, 'proxy.conf');
  const port = await freePort();
  const place = { folder: folder.path, file, port, backendPort, workers: options.workers };
  writeFileSync(file, configure(place));
  const running = await run(place);
  return {
    ...running,
    async stop() {
      await running.stop();
      await backend.stop();
      folder.remove();
    },
  };
}

async function startBackend({ webSockets = false }: StartTool, port: number): Promise<Launched> {
  const env = { PORT: String(port), ...webSocketEnvironment(webSockets) };
  const server = launch(process.execPath, [appPath('serve.cjs')], { env, stopSignal: 'SIGKILL' });
  await untilServing(server, port);
  return server;
}
