/** naught in the foreground; SIGHUP is its `deploy`. */
import { createInterface } from 'node:readline';
import { eventually } from '../../test/helpers/eventually.ts';
import { freePort } from '../../test/helpers/plain-client.ts';
import { appPath, packagePath, temporaryFolder } from '../processes.ts';
import { childrenOf } from '../proc.ts';
import { launch, packageVersion, patienceMs, stopWithWorkers, untilServing } from './launch.ts';
import { webSocketEnvironment } from './work-environment.ts';
import type { RunningTool, StartTool, Tool } from './tool.ts';

export const naught: Tool = {
  name: 'naught',
  setup:
    'deploy (SIGHUP in the foreground); the worker sends `online`, and calls `server.close()` on `shutdown`; 1.6.0 does not start on Node.js 14 and newer, so one call is patched (bench/apps/naught-fix.cjs)',
  version: () => packageVersion('naught'),
  isReloadable: true,
  hasMaster: true,
  canWebSockets: true,
  start,
};

async function start({ workers, webSockets = false }: StartTool): Promise<RunningTool> {
  const folder = temporaryFolder();
  const port = await freePort();
  const flags = {
    'worker-count': String(workers),
    'daemon-mode': 'false',
    log: '-',
    stdout: '/dev/null',
    stderr: '/dev/null',
  };
  // It prints `Ready.` when all workers are online, and again when a deploy is done.
  let timesReady = 0;
  const daemon = launch(
    process.execPath,
    [
      '--require',
      appPath('naught-fix.cjs'),
      packagePath('naught/lib/main.js'),
      'start',
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
      appPath('naught.cjs'),
    ],
    { cwd: folder.path, env: { PORT: String(port), ...webSocketEnvironment(webSockets) } },
    ({ stderr }) => {
      if (stderr === null) return;
      createInterface({ input: stderr }).on('line', (line) => {
        if (/^(?:Ready|DeployFailed)\./.test(line)) timesReady += 1;
      });
    },
  );
  const untilReady = (times: number): Promise<void> =>
    eventually('naught is ready', () => timesReady >= times, patienceMs);
  await untilServing(daemon, port);
  await untilReady(1);
  // The daemon has a master of its own, which runs the workers.
  const masters = (): readonly number[] => childrenOf(daemon.pid);
  const workerPids = (): readonly number[] => masters().flatMap(childrenOf);
  return {
    port,
    masterPids: () => [daemon.pid, ...masters()],
    workerPids,
    async reload() {
      const times = timesReady + 1;
      process.kill(daemon.pid, 'SIGHUP');
      await untilReady(times);
    },
    startAgain: daemon.again,
    async stop() {
      await stopWithWorkers(daemon, () => [...masters(), ...workerPids()]);
      folder.remove();
    },
  };
}
