/** gunicorn with threads, its kind of worker that supports keep-alive. */
import { eventually } from '../../test/helpers/eventually.ts';
import { freePort } from '../../test/helpers/plain-client.ts';
import { appPath, temporaryFolder } from '../processes.ts';
import { launch, patienceMs, runReplacing, untilServing, versionOf } from './launch.ts';
import type { RunningTool, StartTool, Tool } from './tool.ts';

export const gunicorn: Tool = {
  name: 'gunicorn',
  setup:
    'reload by SIGHUP; `--worker-class gthread --threads 32 --keep-alive 5`, the same responses from WSGI',
  version: () => versionOf('gunicorn', ['--version']),
  isReloadable: true,
  hasMaster: true,
  canWebSockets: false,
  start,
};

async function start({ workers }: StartTool): Promise<RunningTool> {
  const folder = temporaryFolder();
  const port = await freePort();
  const flags = {
    bind: `127.0.0.1:${port}`,
    workers: String(workers),
    'worker-class': 'gthread',
    threads: '32',
    'keep-alive': '5',
    'graceful-timeout': '10',
    'log-level': 'error',
    chdir: appPath('.'),
  };
  const master = launch(
    'gunicorn',
    [...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]), 'gunicorn_app:app'],
    // Otherwise Python would leave compiled files beside the application.
    { env: { PYTHONDONTWRITEBYTECODE: '1' }, cwd: folder.path, stopSignal: 'SIGINT' },
  );
  await untilServing(master, port);
  const running = runReplacing(master, port, () => void process.kill(master.pid, 'SIGHUP'));
  await eventually('all workers', () => running.workerPids().length === workers, patienceMs);
  return {
    ...running,
    async stop() {
      await running.stop();
      folder.remove();
    },
  };
}
