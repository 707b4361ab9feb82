/** graceful-run itself, with default options. */
import { readFileSync } from 'node:fs';
import { freePort } from '../../test/helpers/plain-client.ts';
import { startUnderMaster } from '../own/processes.ts';
import { appPath } from '../processes.ts';
import { childrenOf, runs } from '../proc.ts';
import { stopWithWorkers } from './launch.ts';
import { webSocketEnvironment } from './work-environment.ts';
import type { StartTool, RunningTool, Tool } from './tool.ts';

const migrating: Tool = describe('graceful-run', 'SIGHUP; everything at its default', []);
const notMigrating: Tool = describe(
  'graceful-run --no-migrate',
  'the defaults, but connections are not moved to the new workers',
  ['--no-migrate'],
);

const withoutProbation: Tool = describe(
  'graceful-run --probation 0s',
  'the defaults, but the old workers drain as soon as the new ones serve',
  ['--probation', '0s'],
);

/** graceful-run as it is measured for how load spreads: with a shared listener. */
export const sharedListener: Tool = { ...migrating, name: 'graceful-run, shared listener' };
export const reusePort: Tool = describe('graceful-run --reuse-port', 'a listener for each worker', [
  '--reuse-port',
]);

export const gracefulRun: readonly Tool[] = [migrating, withoutProbation, notMigrating];

function describe(name: string, setup: string, flags: readonly string[]): Tool {
  return {
    name,
    setup,
    version: ownVersion,
    isReloadable: true,
    hasMaster: true,
    canWebSockets: true,
    start: (options) => start(options, flags),
  };
}

async function start(
  { workers, webSockets = false }: StartTool,
  flags: readonly string[],
): Promise<RunningTool> {
  const port = await freePort();
  const master = await startUnderMaster(
    [process.execPath, appPath('serve.cjs')],
    ['--host', '127.0.0.1', '--port', String(port), '--workers', String(workers), ...flags],
    { env: webSocketEnvironment(webSockets) },
  );
  // The master has another child, which waits for the master's end.
  const workerPids = (): readonly number[] =>
    childrenOf(master.pid).filter((child) => runs(child, 'serve.cjs'));
  return {
    port,
    masterPids: () => [master.pid],
    workerPids,
    async reload() {
      const { pid, log } = master;
      const generation = Math.max(...log.all('generationReady').map((event) => event.generation)) + 1;
      process.kill(pid, 'SIGHUP');
      await log.waitFor('generationReady', { generation });
    },
    startAgain: master.again,
    stop: () => stopWithWorkers(master, workerPids),
  };
}

export function ownVersion(): string {
  const path = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
