/** A control server with commands that a test steers, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Commands, ReloadCommand, ReloadUnderWay } from '../../src/master/control/commands.ts';
import { type ControlServer, openControlServer } from '../../src/master/control/control-server.ts';
import type { ReloadResult, Status, WorkerCrash } from '../../src/shared/control-api.ts';
import type { Failure, EventRecord } from '../../src/shared/events.ts';

export const failure: Failure = {
  reason: 'exited',
  message: 'the worker exited with code 3 before it was ready',
  hint: 'run the command by hand',
  errorCode: null,
  outcome: { code: 3, signal: null },
  stderrTail: ['Error: boom', '    at app.js:1'],
};

export const served: ReloadResult = {
  generation: 2,
  ok: true,
  endedAt: 1,
  durationMs: 210,
  failure: null,
  release: null,
  probationMs: 0,
  serving: 2,
  rolledBackTo: null,
  remaining: 0,
};
export const failed: ReloadResult = { ...served, ok: false, failure };

export const crashed: WorkerCrash = { generation: 1, slot: 0, pid: 4_241, endedAt: 1, failure };

export function statusOf(pid: number): Status {
  return {
    program: 'web',
    group: null,
    type: 'server',
    state: 'RUNNING',
    phase: 'serving',
    isWanted: true,
    waitsFor: [],
    rollout: null,
    errors: null,
    probation: null,
    generation: 1,
    release: null,
    command: ['node', 'app.js'],
    master: {
      name: 'web',
      pid,
      version: '0.1.0',
      uptimeMs: 61_000,
      isStopping: false,
      logId: null,
      file: null,
      upgrades: 0,
      node: '20.20.2',
    },
    listeners: [
      { name: 'default', type: 'tcp', host: '127.0.0.1', port: 10_086, path: null, reusePort: false },
    ],
    workersWanted: 1,
    workers: [
      {
        generation: 1,
        slot: 0,
        pid: 4_242,
        servingPid: null,
        state: 'ready',
        isAccepting: true,
        isHung: false,
        capabilities: { isGated: true, migrates: true, reports: true },
        inStateMs: 5_000,
        uptimeMs: 6_000,
        otherRelease: null,
        draining: null,
        load: null,
      },
    ],
    restarts: [],
    orphans: null,
    emptySlots: [],
    retry: null,
    exit: null,
    schedule: null,
    reloadPending: false,
    load: null,
    lastReload: null,
    lastCrash: null,
  };
}

/** A promise and the two ways to settle it. */
export interface Settleable<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

export function settleable<T>(): Settleable<T> {
  let settle: Pick<Settleable<T>, 'resolve' | 'reject'> | null = null;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return {
    promise,
    resolve: (value) => settle?.resolve(value),
    reject: (error) => settle?.reject(error),
  };
}

export class FakeMaster {
  readonly listeners: Set<(event: EventRecord) => void> = new Set();
  readonly calls: string[] = [];
  /** What has happened to the socket. */
  readonly changes: unknown[] = [];
  /** What each reload was to wait for. */
  readonly waits: string[] = [];
  outcome: Settleable<ReloadResult> = settleable();
  done: Settleable<undefined> = settleable();
  /** An upgrade can only fail: one that succeeds replaces the process. */
  upgrading: Settleable<never> = settleable();
  status: Status = statusOf(process.pid);
  #waiting: (() => void)[] = [];

  readonly commands: Commands = {
    master: () => this.status.master,
    programs: () => Promise.resolve([this.status]),
    status: () => Promise.resolve(this.status),
    metrics: () => Promise.resolve(''),
    start: (command) => this.#begin('start', command),
    restart: (command) => this.#begin('restart', command),
    reload: (command) => this.#begin('reload', command),
    update: ({ isDryRun }) => {
      this.#called('update');
      const difference = { added: [], removed: [], changed: [], master: [] };
      return Promise.resolve({ file: '/srv/graceful.toml', difference, applied: !isDryRun, programs: [] });
    },
    reopenLogs: () => Promise.resolve(),
    logs: async function* () {
      await Promise.resolve();
      yield* [];
    },
    reloadAll: () => {
      this.#called('reloadAll');
      return Promise.resolve();
    },
    upgrade: async () => {
      this.#called('upgrade');
      return this.upgrading.promise;
    },
    promote: () => {
      this.#called('promote');
      return { generation: 2 };
    },
    rollback: () => {
      this.#called('rollback');
      return { generation: 1 };
    },
    scale: ({ change }) => {
      this.#called('scale');
      return { workers: typeof change === 'number' ? 1 + change : change.to, before: 1 };
    },
    stop: () => this.#end('stop'),
    // The same for a master of one program.
    shutDown: () => this.#end('stop'),
    subscribe: (listener) => {
      this.listeners.add(listener);
      this.#called('subscribe');
      return () => {
        this.listeners.delete(listener);
        this.#called('unsubscribe');
      };
    },
  };

  emit(event: EventRecord): void {
    for (const listener of this.listeners) listener(event);
  }

  /** Resolves when the handler has been called, now or before. */
  async called(name: string): Promise<void> {
    while (!this.calls.includes(name)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #begin(name: string, { wait }: ReloadCommand): ReloadUnderWay {
    this.waits.push(wait);
    this.#called(name);
    return { accepted: { generation: 2 }, outcome: this.outcome.promise };
  }

  #end(name: string): ReturnType<Commands['stop']> {
    this.#called(name);
    return { accepted: { pid: this.status.master.pid }, done: this.done.promise };
  }

  #called(name: string): void {
    this.calls.push(name);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A folder for sockets that a test owns. */
export function socketFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'gr-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export function openFake(folder: string, master: FakeMaster, name = 'web'): Promise<ControlServer> {
  return openControlServer({
    name,
    folders: [folder],
    commands: master.commands,
    onChange: (change) => {
      master.changes.push(change);
    },
  });
}

/** A connection that says `text` and then nothing; resolves when it is open. */
export function rawConnection(path: string, text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.write(text);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
