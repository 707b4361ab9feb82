/** pm2 in cluster mode, set up as its guide to graceful reloads recommends, with a daemon and a home of its own. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../test/helpers/plain-client.ts';
import { firstAnswer } from '../answers.ts';
import { appPath, atTheEnd, environment, packagePath, temporaryFolder } from '../processes.ts';
import { allGone, childrenOf, signalTree } from '../proc.ts';
import { packageVersion, patienceMs } from './launch.ts';
import { webSocketEnvironment } from './work-environment.ts';
import type { RunningTool, StartTool, Tool } from './tool.ts';

const executable = packagePath('pm2/bin/pm2');
const runFile = promisify(execFile);

export const pm2: Tool = {
  name: 'pm2',
  setup:
    '`pm2 reload`, cluster mode, `wait_ready`, `kill_timeout` 3 s, `server.close()` on SIGINT, as its guide to graceful reloads recommends',
  version: () => packageVersion('pm2'),
  isReloadable: true,
  hasMaster: true,
  canWebSockets: true,
  start,
};

async function start({ workers, webSockets = false }: StartTool): Promise<RunningTool> {
  const home = temporaryFolder();
  const port = await freePort();
  const ecosystem = join(home.path, 'bench.json');
  const app = {
    name: 'bench',
    script: appPath('pm2.cjs'),
    exec_mode: 'cluster',
    instances: workers,
    wait_ready: true,
    listen_timeout: 10_000,
    kill_timeout: 3_000,
    env: { PORT: String(port), ...webSocketEnvironment(webSockets) },
  };
  writeFileSync(ecosystem, JSON.stringify({ apps: [app] }));
  const command = (...args: readonly string[]): Promise<unknown> =>
    runFile(process.execPath, [executable, ...args], {
      env: environment({ PM2_HOME: home.path, PM2_DISCRETE_MODE: 'true' }),
      timeout: 2 * patienceMs,
    });
  const pidFile = join(home.path, 'pm2.pid');
  const daemonPid = (): number => Number(readFileSync(pidFile, 'utf8'));

  // The daemon detaches from its command, and writes its pid to a file when it runs.
  const forget = atTheEnd(() => {
    if (existsSync(pidFile)) signalTree(daemonPid(), 'SIGKILL');
  });
  await command('start', ecosystem);
  const workerPids = (): readonly number[] => childrenOf(daemonPid());
  await firstAnswer(port, () => true, patienceMs);
  return {
    port,
    masterPids: () => [daemonPid()],
    workerPids,
    async reload() {
      await command('reload', 'bench');
    },
    async startAgain() {
      await command('start', ecosystem);
    },
    async stop() {
      const all = [daemonPid(), ...workerPids()];
      await command('kill');
      for (const one of all) signalTree(one, 'SIGKILL');
      await allGone(all, patienceMs);
      forget();
      home.remove();
    },
  };
}
