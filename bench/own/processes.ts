/**
 * The two sides of the comparison with bare Node.js: an application alone, and the same one behind graceful-run; same binary,
 * same environment, same stdio. It must not know what is measured.
 */
import { EventLog } from '../../test/helpers/event-log.ts';
import { appPath, startProcess, temporaryFolder } from '../processes.ts';

/** The command as it was built. */
const executable: string = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;

export interface Running {
  readonly pid: number;
  readonly port: number;
  /** Ends it, and resolves when it has ended. */
  readonly stop: () => Promise<void>;
}

export interface RunningMaster extends Running {
  readonly log: EventLog;
}

/** Starts an application by itself. Returns at once: what it takes until it serves may be what is measured. */
export function startBare(args: readonly string[], port: number, env: NodeJS.ProcessEnv = {}): Running {
  const { child, pid, stop } = startProcess(process.execPath, args, {
    env: { ...env, PORT: String(port) },
    stopSignal: 'SIGKILL',
  });
  child.stderr?.resume();
  return { pid, port, stop };
}

/** Starts an application behind graceful-run, by default with one worker; resolves when it serves. */
export async function startManaged(
  app: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<RunningMaster> {
  const runtime = temporaryFolder();
  const all = ['--port', '0', '--name', 'bench', '--log-format', 'json', ...flags];
  const { child, pid, stop } = startProcess(
    process.execPath,
    [executable, ...all, '--', process.execPath, appPath(app)],
    { env: { ...env, XDG_RUNTIME_DIR: runtime.path } },
  );
  const log = new EventLog();
  if (child.stderr !== null) log.read(child.stderr);
  child.once('exit', () => {
    log.end();
  });
  const stopAll = async (): Promise<void> => {
    await stop();
    runtime.remove();
  };
  try {
    await log.waitFor('generationReady', { generation: 1 });
    const { port } = await log.waitFor('listenerBound');
    return { pid, port, log, stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}
