/**
 * Determines what a worker is started from, at the moment of its start: executable, working directory, environment file, symlinks. Nothing of this is
 * remembered, because releases are switched between two starts.
 */
import { beyondDrainMs } from '../config/options/fixed-bounds.ts';
import { accessSync, constants, fstatSync } from 'node:fs';
import { masterFile } from './preload-path.ts';
import { randomId } from '../random-id.ts';
import { dirname, join } from 'node:path';
import { GracefulRunError } from '../../shared/errors.ts';
import { env, type AnnouncedListener } from '../../shared/protocol.ts';
import type { ProgramPlan } from '../config/plan.ts';
import { readAccount } from './account.ts';
import { drainSignalFor } from './program-drain-signal.ts';
import { readEnvFile } from './env-file.ts';
import { launchNode } from './node-launch.ts';
import { nodeRun } from './node-run.ts';
import { fillPlaceholders, namesDescriptor } from './placeholders.ts';
import { accountVariables } from './process-wrappers.ts';
import { resolveCommand } from './resolve-command.ts';
import type { BoundListener } from '../sockets/listener.ts';
import type { SpawnRequest } from '../process/platform.ts';
import { throughTrampoline, type Command, type Start } from './trampoline.ts';
import { changedPort, withoutOwnUnit, workerEnvironment, type VariableSource } from './worker-environment.ts';
import { findWrappers, wrap } from './wrap-process.ts';

/** The first descriptor after stdio: SD_LISTEN_FDS_START. */
const firstListenerFd = 3;

export interface WorkerPlace {
  readonly generation: number;
  readonly slot: number;
  /** The name by which all workers of the program are found, made by `newTreeName`. */
  readonly tree: string;
}

/** Prepares the start of a worker. Errors: `commandNotFound`, `commandNotExecutable`, `cwdMissing`, `envFileUnreadable`, `userUnusable`, `toolMissing`, `startFailed`. */
export function prepareWorker(
  plan: ProgramPlan,
  listeners: readonly BoundListener[],
  inherited: NodeJS.ProcessEnv,
  preload: string,
  codeCache: string | null,
  { generation, slot, tree: treeOfProgram }: WorkerPlace,
  portChanged: (source: VariableSource) => void = () => undefined,
  /** Returns a path for the worker's NOTIFY_SOCKET. `uid`: the user of the worker; null if it is the user of this process. */
  newNotifyPath: (uid: number | null) => string | null = () => null,
  /** Returns the sockets of `listeners` that this worker inherits. `isNode`: whether its command is Node.js. */
  inheritedBy: (isNode: boolean) => readonly BoundListener[] = () => listeners,
): SpawnRequest {
  const { readiness, drainSignal } = plan.workerKind;
  const { user, umask } = plan.process;
  const account = user === null ? null : readAccount(user);
  const wrappers = findWrappers(plan.process, account, inherited['PATH']);
  // Without an address there is little that graceful-run could do inside Node.js: no gate, no connections. It is a program like any other, apart from the watchdog (`hasHeartbeat`).
  const isServer = plan.kind.type === 'server';
  const announced = listeners.map(announce);
  const fill = (text: string): string => fillPlaceholders(text, announced, slot);
  const variables = Object.entries(plan.environment).map(([name, value]) => [name, fill(value)] as const);
  const sources = {
    inherited: {
      ...withoutOwnUnit(inherited),
      ...(account === null ? {} : accountVariables(account)),
    },
    fromPlan: Object.fromEntries(variables),
    fromFile: plan.environmentFile === null ? {} : readEnvFile(plan.environmentFile),
    listeners: announced,
  };
  const isTold = [...plan.command, ...Object.values(plan.environment)].some(namesDescriptor);
  const changed = changedPort(sources);
  if (changed !== null) portChanged(changed);
  const mark = newName();
  const tree = `${treeOfProgram}.${mark}`;
  const environment = workerEnvironment({
    ...sources,
    hasSystemd: !isTold,
    isServer,
    cwd: plan.cwd,
    named:
      plan.name === null
        ? null
        : { program: plan.name, group: plan.group?.name ?? plan.name, workers: plan.workers },
    generation,
    slot,
    masterPid: process.pid,
    channelLock: mark,
    tree,
    // The cache contains code in a folder of this user, so a worker of another user does not get it.
    codeCache: account === null ? codeCache : null,
    drainTimeoutMs: plan.drainTimeoutMs,
    rescueMs: plan.rescueMs,
    maxRequests: earlier(plan.replacement.maxRequests),
    health:
      readiness.when === 'answers'
        ? { path: readiness.path, warmup: readiness.warmup, readyTimeoutMs: plan.readyTimeoutMs }
        : null,
  });
  // Copied here, before the environment gets what only the worker may have.
  const probeEnvironment = forProbe(environment);
  const resolved = resolveCommand(plan.command.map(fill), { cwd: plan.cwd, environment });
  const script = isServer ? nodeRun(resolved, { cwd: plan.cwd, environment }) : null;
  const command = !isServer
    ? { ...resolved, isNode: false, isNodeBinary: false }
    : script === null
      ? resolved
      : { ...resolved, ...script, isNode: false, isNodeBinary: false };
  const own = inheritedBy(command.isNode);
  // Announced above as the first socket of each listener; with reuse_port, the worker may have another one.
  if (isServer && own.some((one, index) => one.fd !== listeners[index]?.fd))
    environment[env.listeners] = JSON.stringify(own.map(announce));
  const cwd = script?.cwd ?? plan.cwd;
  Object.assign(environment, script?.variables);
  const readyFd = readiness.when === 'writesNewline' ? readiness.fd : null;
  if (readyFd !== null) {
    if (readyFd < firstListenerFd + listeners.length + 1) throw descriptorHeld(readyFd);
    environment[env.readyFd] = String(readyFd);
  }
  // A plain Node.js program never sends WATCHDOG=1: it is asked over the channel whether it lives.
  const { watchdogMs } = plan.replacement;
  const isWatchedByWord = watchdogMs !== null && !command.isNode;
  // Other programs always get a NOTIFY_SOCKET, whatever makes them ready: if one does not become ready, its STATUS is in the reason.
  const isNotifyWanted = readiness.when === 'notifies' || !command.isNode;
  const notifyPath = isNotifyWanted ? newNotifyPath(account?.uid ?? null) : null;
  if (notifyPath !== null) {
    environment['NOTIFY_SOCKET'] = notifyPath;
    // Values that the plan or the environment file sets belong to another socket.
    for (const name of ['WATCHDOG_USEC', 'WATCHDOG_PID']) setOrRemove(environment, name, undefined);
    if (isWatchedByWord) environment['WATCHDOG_USEC'] = String(watchdogMs * 1_000);
  }
  // The event loop of a Node.js program without an address can be asked, but nothing else. Under `npm start`, it would be the event loop of npm.
  const hasHeartbeat = !isServer && watchdogMs !== null && resolved.isNode;
  if (hasHeartbeat) environment[env.heartbeat] = '1';
  const launch = isServer
    ? launchNode({ command, environment, preload, shimFolder: shimFolder(preload) })
    : hasHeartbeat
      ? launchNode({ command: resolved, environment, preload, shimFolder: null })
      : { args: command.args, nodeOptions: environment['NODE_OPTIONS'], path: environment['PATH'] };
  setOrRemove(environment, 'NODE_OPTIONS', launch.nodeOptions);
  setOrRemove(environment, 'PATH', launch.path);
  const signal = drainSignal === 'auto' ? drainSignalFor([command.file, ...command.args]) : drainSignal;
  if (isServer && !command.isNode && signal !== 'none') environment[env.drainSignal] = signal;
  const trampoline = {
    node: process.execPath,
    script: masterFile(preload, 'trampoline.cjs'),
    hasShell: hasShell(),
  };
  const start = (
    what: Command,
    its: Readonly<Record<string, string>>,
    sets: { readonly setsListenPid: boolean; readonly setsWatchdogPid: boolean },
  ): Start =>
    wrap(
      wrappers,
      throughTrampoline(what, its, { ...sets, umask, comesAfterRoot: account !== null }, trampoline),
    );
  // In Node.js, the preload sets LISTEN_PID.
  const started = start({ ...command, args: launch.args }, environment, {
    setsListenPid: isServer && !command.isNode && !isTold,
    setsWatchdogPid: notifyPath !== null && isWatchedByWord,
  });
  const { file, args } = started;
  const outliveMs = (isServer ? plan.rescueMs : 0) + plan.drainTimeoutMs + beyondDrainMs;
  return {
    file,
    args,
    program: command.file,
    cwd,
    environment: started.environment,
    mark,
    tree,
    isNode: command.isNode,
    probe:
      readiness.when === 'commandSucceeds'
        ? start({ file: '/bin/sh', args: ['-c', readiness.command] }, probeEnvironment, {
            setsListenPid: false,
            setsWatchdogPid: false,
          })
        : null,
    pidFile: plan.kind.pidFile,
    notifyPath,
    uid: account?.uid ?? null,
    readyFd,
    listeners: own,
    outliveMs,
    drainSignal: signal === 'none' ? null : signal,
  };
}

/** The error for a descriptor that is a listener's: the program of the first generation may have asked for several addresses, each of which is a listener. */
function descriptorHeld(fd: number): GracefulRunError {
  return new GracefulRunError(
    'startFailed',
    `cannot start the worker: descriptor ${fd}, to which it is to write that it is ready, is that of a listener`,
    { hint: 'name a higher one in ready (--ready fd:20)' },
  );
}

/** The environment of the command that finds out whether the worker is ready. It names no listener, because the command inherits none. */
function forProbe(environment: Readonly<Record<string, string>>): Record<string, string> {
  const own =
    /^(LISTEN_FDS|LISTEN_FDNAMES|SERVER_STARTER_PORT|EINHORN_\w+|GRACEFUL_RUN_(?!GENERATION|WORKER)\w+)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)));
}

let randomPart: string | null = null;
let namesMade = 0;

/** A name that no other call returns. The random part is made only once: reading it needs a descriptor, and there may be none left at a later start. */
function newName(): string {
  randomPart ??= randomId();
  namesMade += 1;
  return `${randomPart}-${namesMade}`;
}

/** The name by which all workers of one program are found. Each program has another one. */
export function newTreeName(): string {
  return newName();
}

function announce(
  { name, address, backlog, isUndecided, standsFor, hostName, isInherited, fd }: BoundListener,
  index: number,
): AnnouncedListener {
  return {
    name,
    fd: firstListenerFd + index,
    ...address,
    backlog,
    inode: fstatSync(fd).ino,
    ...(isUndecided && address.type === 'tcp' ? { isUndecided } : {}),
    ...(standsFor === null ? {} : { standsFor }),
    ...(hostName === undefined ? {} : { hostName }),
    ...(isInherited === true && address.type === 'tcp' ? { isInherited } : {}),
  };
}

function setOrRemove(environment: Record<string, string>, name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(environment, name);
  else environment[name] = value;
}

/** The folder, beside the preload, with the `node` that loads the preload whatever NODE_OPTIONS is. Null if that cannot be run. */
function shimFolder(preload: string): string | null {
  const folder = join(dirname(preload), 'shim');
  return hasShell() && isExecutable(join(folder, 'node')) ? folder : null;
}

function hasShell(): boolean {
  return isExecutable('/bin/sh');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The number of requests, less up to a tenth at random, so that workers that were started together are not replaced together. */
function earlier(maxRequests: number | null): number | null {
  return maxRequests === null ? null : Math.max(1, Math.round(maxRequests * (1 - 0.1 * Math.random())));
}
