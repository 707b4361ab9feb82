/**
 * Starts the two sides of the comparison with bare Node.js: an application alone, and the same one under graceful-run, with the same binary,
 * environment and stdio.
 */
import { EventLog } from '../../test/helpers/event-log.ts';
import { launch } from '../peers/launch.ts';
import { appPath, startProcess, temporaryFolder, type StartOptions } from '../processes.ts';

/** The path of the built command. */
const executable: string = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;

export interface Running {
  readonly pid: number;
  readonly port: number;
  /** Stops the process, and resolves when it has exited. */
  readonly stop: () => Promise<void>;
}

export interface RunningMaster extends Running {
  readonly log: EventLog;
  /** Starts another master by the same command. `pid` and `log` are those of the last one. */
  readonly again: () => void;
}

/** Starts an application alone. Returns at once, because the time until it serves may be the measurement. */
export function startBare(args: readonly string[], port: number, env: NodeJS.ProcessEnv = {}): Running {
  const { child, pid, stop } = startProcess(process.execPath, args, {
    env: { ...env, PORT: String(port) },
    stopSignal: 'SIGKILL',
  });
  child.stderr?.resume();
  return { pid, port, stop };
}

/** Starts an application under graceful-run, by default with one worker; resolves when it serves. */
export async function startManaged(
  app: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<RunningMaster> {
  return startUnderMaster([process.execPath, appPath(app)], ['--port', '0', ...flags], { env });
}

/** Starts any command under graceful-run. `flags` contain the port. */
export async function startUnderMaster(
  command: readonly string[],
  flags: readonly string[],
  { env = {}, ...options }: Pick<StartOptions, 'env' | 'cwd'>,
): Promise<RunningMaster> {
  const runtime = temporaryFolder();
  const all = ['--name', 'bench', '--log-format', 'json', ...flags];
  let log = new EventLog();
  const master = launch(
    process.execPath,
    [executable, ...all, '--', ...command],
    { ...options, env: { ...env, XDG_RUNTIME_DIR: runtime.path } },
    (child) => {
      const own = new EventLog();
      if (child.stderr !== null) own.read(child.stderr);
      child.once('exit', () => {
        own.end();
      });
      log = own;
    },
  );
  const stop = async (): Promise<void> => {
    await master.stop();
    runtime.remove();
  };
  try {
    await log.waitFor('generationReady', { generation: 1 });
    const { port } = await log.waitFor('listenerBound');
    return {
      get pid() {
        return master.pid;
      },
      port: port ?? 0,
      get log() {
        return log;
      },
      again: master.again,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
