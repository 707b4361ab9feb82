/**
 * Runs the built command `graceful-run` as its users do, and holds it to leaving nothing behind: a process of its
 * workers that outlives it, or a control socket after a regular stop, fails the test that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Status, routes } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import { eventually } from './eventually.ts';
import { EventLog } from './event-log.ts';
import { describeProcess, isAlive, markedProcesses, type MarkedProcess } from './marked-processes.ts';

const executable = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;
/** The flag that names the env file. Not --env-file: see master-env-file.test.ts. */
export const envFileFlag = '--environment-file';

/** An option may be given once. */
const ownFlags = {
  '--port': '0',
  '--host': '127.0.0.1',
  '--log-level': 'debug',
  '--log-format': 'json',
  // Most tests are about what happens when the old generation goes: probation has its own.
  '--probation': '0s',
  // So is it about workers whose master was killed.
  '--rescue': '0s',
};

const mark = 'TEST_STARTED_BY';
let started = 0;

export interface RunOptions {
  /** Before the command; in place of the harness's own: a free port of 127.0.0.1, a name, all events as JSON. */
  readonly flags?: readonly string[];
  /** Default: the application `serves`. Empty: none is given. */
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The folder of the control sockets. Default: one of its own. */
  readonly runtime?: string;
  readonly name?: string;
  /** Words in front of the command line: `['sh', '-c', 'ulimit -n 40; exec "$@"', 'sh']`. */
  readonly through?: readonly string[];
  /** Default: that of this checkout. */
  readonly executable?: string;
  /** Default true: the harness's own flags are there. */
  readonly hasOwnFlags?: boolean;
}

/** The command that runs a program of test/fixtures/apps/. */
export function app(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, appPath(name), ...args];
}

export function appPath(name: string): string {
  return new URL(`../fixtures/apps/${name}.cjs`, import.meta.url).pathname;
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'gr-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Starts a master; it is stopped, and what it leaves behind looked for, when the test ends. */
export function runMaster(options: RunOptions = {}): RunningMaster {
  const master = new RunningMaster({ ...options, runtime: options.runtime ?? temporaryFolder() });
  onTestFinished(() => master.finish());
  return master;
}

export class RunningMaster extends EventLog {
  readonly child: ChildProcess;
  readonly name: string;
  readonly runtime: string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Resolves when all of its output was read: no worker that shares it is left. */
  readonly closed: Promise<unknown>;
  readonly #mark: string;
  #wasKilled = false;

  constructor(options: RunOptions & { readonly runtime: string }) {
    super();
    const {
      flags = [],
      command = app('serves'),
      env = {},
      cwd,
      runtime,
      through = [],
      hasOwnFlags = true,
    } = options;
    this.#mark = `${process.pid}-${++started}`;
    this.name = options.name ?? `test-${this.#mark}`;
    this.runtime = runtime;
    const own = Object.entries({ ...ownFlags, '--name': this.name }).filter(
      ([flag]) => !flags.includes(flag),
    );
    const words = [
      process.execPath,
      options.executable ?? executable,
      ...(hasOwnFlags ? own.flat() : []),
      ...flags,
      ...(command.length === 0 ? [] : ['--', ...command]),
    ];
    const [file = process.execPath, ...args] = [...through, ...words];
    // Certificates of the machine only make Node.js start slowly.
    const inherited = { ...process.env };
    for (const variable of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS'])
      Reflect.deleteProperty(inherited, variable);
    this.child = spawn(file, args, {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...inherited, XDG_RUNTIME_DIR: runtime, [mark]: this.#mark, ...env },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) if (stream !== null) this.read(stream);
    this.child.stdin?.on('error', () => undefined);
    // 'exit', not 'close': workers of a master that was killed hold its stdout for a while.
    this.exited = once(this.child, 'exit').then(() => ({
      code: this.child.exitCode,
      signal: this.child.signalCode,
    }));
    this.closed = once(this.child, 'close');
    this.child.once('close', () => {
      this.end();
    });
  }

  /** A process with this in its environment counts as started by the master. */
  get marked(): Readonly<Record<string, string>> {
    return { [mark]: this.#mark };
  }

  get pid(): number {
    return this.masterPid ?? this.child.pid ?? -1;
  }

  get controlSocket(): string {
    return join(this.runtime, 'graceful-run', `${this.name}.sock`);
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGKILL') this.#wasKilled = true;
    process.kill(this.pid, signal);
  }

  async port(): Promise<number> {
    return (await this.waitFor('listenerBound')).port ?? 0;
  }

  /** Resolves to the port when the first generation serves. */
  async serving(): Promise<number> {
    await this.waitFor('generationReady', { generation: 1 });
    return this.port();
  }

  /** Sends SIGHUP and resolves when generation `number` serves and no earlier one accepts connections. */
  async reload(number: number): Promise<void> {
    this.signal('SIGHUP');
    await this.waitFor('generationReady', { generation: number });
    const earlier = this.all('workerStarted', ({ generation }) => generation < number);
    await Promise.all(earlier.map(async ({ pid }) => this.#acceptsNoMore(pid)));
  }

  /** Resolves when the worker has ended, or has said that it accepts no more connections: since it was last resumed, if a rollback has done that. */
  async #acceptsNoMore(pid: number | null): Promise<void> {
    const resumed = this.all('workerResumed', { pid }).length;
    await Promise.race([
      this.waitFor('workerAcceptsNoMore', { pid }, resumed + 1),
      this.waitFor('workerExited', { pid }),
      this.waitFor('workerFailed', { pid }),
    ]);
  }

  /** The pid of the first worker of a generation in a slot. */
  async workerPid(generation: number, slot = 0): Promise<number> {
    const { pid } = await this.waitFor('workerStarted', { generation, slot });
    if (pid === null) throw new Error('started without a pid');
    return pid;
  }

  /** As the control socket tells it. */
  async status(): Promise<Status> {
    const exchange = await askControl({
      path: this.controlSocket,
      method: 'GET',
      route: routes.status,
      timeoutMs: 5_000,
    });
    if ('noAnswer' in exchange) throw new Error(`no answer: ${exchange.noAnswer}`);
    return JSON.parse(exchange.answer.body) as Status;
  }

  /** The master, its workers and whatever they started. */
  processes(): readonly MarkedProcess[] {
    return markedProcesses(mark, this.#mark);
  }

  /** Resolves when no worker, nor anything that a worker started, is left. */
  async workersGone(withinMs?: number): Promise<void> {
    await eventually('workers gone', () => this.processes().every(({ pid }) => pid === this.pid), withinMs);
  }

  /** Stops the master; throws when anything is left. */
  async finish(patienceMs?: number): Promise<void> {
    try {
      await this.#stop();
      await this.workersGone(patienceMs);
      if (!this.#wasKilled) await this.#expectNoSocket();
    } finally {
      for (const { pid } of this.processes()) kill(pid);
    }
  }

  async #stop(): Promise<void> {
    const hasEnded = (): boolean => {
      if (!isAlive(this.pid)) return true;
      // Again and again: the ones that come at once are one request.
      kill(this.pid, 'SIGTERM');
      return false;
    };
    await eventually('the master has ended', hasEnded, 10_000).catch((cause: unknown) => {
      throw new Error(`the master does not end\n${describeProcess(this.pid)}\n${this.tell()}`, { cause });
    });
  }

  /** The socket of another master in the same folder, which still lives, may be there. */
  async #expectNoSocket(): Promise<void> {
    const folder = join(this.runtime, 'graceful-run');
    const files = existsSync(folder) ? readdirSync(folder) : [];
    for (const file of files.filter((name) => name.endsWith('.sock'))) {
      const exchange = await askControl({
        path: join(folder, file),
        method: 'GET',
        route: routes.status,
        timeoutMs: 5_000,
      });
      if ('noAnswer' in exchange) throw new Error(`left in the folder of control sockets: ${file}`);
    }
  }
}

/** Ends what a test has started on purpose beyond the master's reach. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}
