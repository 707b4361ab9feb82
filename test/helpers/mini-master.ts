/**
 * The least that a worker needs of a master: bound listeners that nobody accepts on, the environment, the channel.
 * Decides nothing: a test says when to admit and when to drain.
 */
import { spawn, type ChildProcess, type SendHandle } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import koffi from 'koffi';
import { socketPair } from '../../src/master/sockets/socket-pair.ts';
import { listen as listenAgain } from '../../src/master/system-calls/socket-calls.ts';
import { withPreload } from '../../src/shared/node-options.ts';
import {
  env,
  unwrap,
  wrapForWorker,
  type DrainReason,
  type MasterMessage,
  type WorkerMessage,
} from '../../src/shared/protocol.ts';
import { workerBundle } from './worker-bundle.ts';

/** The Node.js that workers run on: GRACEFUL_RUN_TEST_NODE, else the one that runs the tests. */
export const testNode: string = process.env['GRACEFUL_RUN_TEST_NODE'] ?? process.execPath;

const backlog = 128;

/** One of libuv's own. */
interface Handle {
  close(): void;
}

interface BoundHandle extends Handle {
  readonly fd: number;
  getsockname(out: object): number;
}

const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle: (host: string, port: number, type: 4 | 6, fd: -1, flags: 0) => BoundHandle;
};
const listen = koffi.load(null).func('int listen(int, int)') as (fd: number, backlog: number) => number;

export interface StartOptions {
  /** Default: node with `script`. */
  readonly command?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly drainTimeoutMs?: number;
  /** Default: the one of the bundle. */
  readonly preload?: string;
}

export class MiniMaster {
  readonly ports: readonly number[];
  readonly #handles: readonly BoundHandle[];
  readonly #host: string;
  readonly #workers: MiniWorker[] = [];

  constructor(options: { host?: string; count?: number } = {}) {
    this.#host = options.host ?? '127.0.0.1';
    this.#handles = Array.from({ length: options.count ?? 1 }, () =>
      createServerHandle(this.#host, 0, this.#host.includes(':') ? 6 : 4, -1, 0),
    );
    this.ports = this.#handles.map((handle) => {
      const address: { port?: number } = {};
      handle.getsockname(address);
      if (listen(handle.fd, backlog) !== 0) throw new Error('listen(2) failed');
      return address.port ?? 0;
    });
  }

  get port(): number {
    return this.ports[0] ?? 0;
  }

  /** The file descriptor of the first listener. */
  get fd(): number {
    return this.#handles[0]?.fd ?? -1;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(script: string | null, options: StartOptions = {}): Promise<MiniWorker> {
    const { api, ...built } = await workerBundle();
    const preload = options.preload ?? built.preload;
    const listeners = this.ports.map((port, at) => ({
      name: `listener-${at}`,
      fd: 3 + at,
      type: 'tcp',
      host: this.#host,
      port,
      backlog,
    }));
    const fixture =
      script === null ? [] : [new URL(`../fixtures/worker/${script}`, import.meta.url).pathname];
    const [file, ...args] = options.command ?? [testNode, ...fixture];
    const child = spawn(file ?? testNode, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...this.#handles.map(({ fd }) => fd), 'ipc'],
      detached: true,
      cwd: options.cwd,
      env: {
        ...process.env,
        TEST_API: api,
        PORT: String(this.port),
        PORTS: this.ports.join(),
        LISTEN_FDS: String(this.ports.length),
        [env.generation]: '7',
        [env.listeners]: JSON.stringify(listeners),
        [env.drainTimeout]: String(options.drainTimeoutMs ?? 10_000),
        ...options.env,
        NODE_OPTIONS: withPreload(options.env?.['NODE_OPTIONS'], preload),
      },
    });
    const worker = new MiniWorker(child, (name) => this.#handles[Number(name.split('-')[1])]);
    this.#workers.push(worker);
    return worker;
  }

  /** Starts, waits until it is ready, and admits. */
  async serve(script: string | null, options: StartOptions = {}): Promise<MiniWorker> {
    const worker = await this.start(script, options);
    await worker.message('ready');
    worker.admit();
    return worker;
  }

  /** Connects the two by a pipe. `more`: the number of destinations of this source that are introduced next. */
  async introduce(source: MiniWorker, destination: MiniWorker, more = 0): Promise<void> {
    // Loads the system calls, and changes nothing.
    await listenAgain(this.fd, backlog);
    const pair = socketPair();
    if (typeof pair === 'string') throw new Error(`socketpair(2) failed: ${pair}`);
    const [sourceEnd, destinationEnd] = pair;
    destination.send({ type: 'source' }, destinationEnd, () => {
      destinationEnd.close();
    });
    source.send({ type: 'destination', more }, sourceEnd, () => {
      sourceEnd.close();
    });
  }

  /** Ends what is left, process groups included. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()));
    for (const handle of this.#handles) handle.close();
  }
}

export class MiniWorker {
  /** stdout and stderr. */
  output = '';
  /** Without `exits`, which every worker says last. */
  readonly messages: WorkerMessage[] = [];
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  readonly #changed: (() => void)[] = [];

  constructor(child: ChildProcess, handleOf: (name: string) => BoundHandle | undefined) {
    this.child = child;
    this.exited = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#change();
      });
    }
    child.on('error', () => undefined);
    child.on('close', () => {
      this.#change();
    });
    child.on('message', (value) => {
      const message = unwrap(value) as WorkerMessage | null;
      if (message === null || message.type === 'exits') return;
      this.messages.push(message);
      if (message.type === 'listenerWanted') {
        this.send({ type: 'listener', name: message.name }, handleOf(message.name));
      }
      this.#change();
    });
  }

  /** The process that says that it is ready; under npm not the one that was started. */
  get pid(): number {
    return this.messages.find(({ type }) => type === 'ready')?.pid ?? this.child.pid ?? -1;
  }

  send(message: MasterMessage, handle?: Handle, sent: () => void = () => undefined): void {
    this.child.send(wrapForWorker(message), handle as unknown as SendHandle, {}, sent);
  }

  admit(): void {
    this.send({ type: 'admit' });
  }

  drain(reason: DrainReason = 'reload', timeoutMs = 10_000, migrates = false): void {
    this.send({ type: 'drain', reason, timeoutMs, migrates, emptiesQueues: false });
    process.kill(this.pid, 'SIGQUIT');
  }

  async message<Type extends WorkerMessage['type']>(
    type: Type,
  ): Promise<Extract<WorkerMessage, { type: Type }>> {
    const is = (message: WorkerMessage): message is Extract<WorkerMessage, { type: Type }> =>
      message.type === type;
    return this.#until(() => this.messages.find(is), `the message '${type}'`);
  }

  /** Waits for text in the output. */
  async says(text: string | RegExp): Promise<void> {
    await this.#until(() => (this.output.search(text) >= 0 ? true : undefined), String(text));
  }

  async kill(): Promise<void> {
    if (this.child.pid !== undefined) {
      try {
        process.kill(-this.child.pid, 'SIGKILL');
      } catch {
        // The whole group has ended.
      }
      await this.exited;
    }
  }

  #change(): void {
    for (const check of [...this.#changed]) check();
  }

  #until<Value>(find: () => Value | undefined, what: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const value = find();
        const isOver = this.child.exitCode !== null || this.child.signalCode !== null;
        if (value === undefined && !isOver) return;
        this.#changed.splice(this.#changed.indexOf(check), 1);
        if (value !== undefined) resolve(value);
        else reject(new Error(`ended without ${what}: ${this.output}`));
      };
      this.#changed.push(check);
      check();
    });
  }
}
