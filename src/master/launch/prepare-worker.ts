/**
 * Looks up what a worker is, at the moment in which it is started: executable, cwd, env file, symlinks. Releases
 * move between two starts, so nothing of this is remembered.
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
  /** What all workers of the program are known by: of `newTreeName`. */
  readonly tree: string;
}

/** Errors: `commandNotFound`, `commandNotExecutable`, `cwdMissing`, `envFileUnreadable`, `userUnusable`, `toolMissing`. */
export function prepareWorker(
  plan: ProgramPlan,
  listeners: readonly BoundListener[],
  inherited: NodeJS.ProcessEnv,
  preload: string,
  codeCache: string | null,
  { generation, slot, tree: treeOfProgram }: WorkerPlace,
  portChanged: (source: VariableSource) => void = () => undefined,
  /** Null: it runs as the same user as this process. */
  newNotifyPath: (uid: number | null) => string | null = () => null,
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
      ...Object.fromEntries(variables),
    },
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
    // It is code, in a folder of this user.
    codeCache: account === null ? codeCache : null,
    drainTimeoutMs: plan.drainTimeoutMs,
    maxRequests: earlier(plan.replacement.maxRequests),
    health:
      readiness.when === 'answers'
        ? { path: readiness.path, warmup: readiness.warmup, readyTimeoutMs: plan.readyTimeoutMs }
        : null,
  });
  // Before it has what only the worker may have.
  const probeEnvironment = forProbe(environment);
  const resolved = resolveCommand(plan.command.map(fill), { cwd: plan.cwd, environment });
  const script = isServer ? nodeRun(resolved, { cwd: plan.cwd, environment }) : null;
  const command = !isServer
    ? { ...resolved, isNode: false, isNodeBinary: false }
    : script === null
      ? resolved
      : { ...resolved, ...script, isNode: false, isNodeBinary: false };
  const cwd = script?.cwd ?? plan.cwd;
  Object.assign(environment, script?.variables);
  const readyFd = readiness.when === 'writesNewline' ? readiness.fd : null;
  if (readyFd !== null) {
    if (readyFd < firstListenerFd + listeners.length + 1) throw descriptorHeld(readyFd);
    environment[env.readyFd] = String(readyFd);
  }
  // Never for a plain Node.js program, which says ready on the channel, and is asked over it whether it lives.
  const { watchdogMs } = plan.replacement;
  const isWatchedByWord = watchdogMs !== null && !command.isNode;
  // Whatever makes it ready: its STATUS is in the reason when it is not.
  const isNotifyWanted = readiness.when === 'notifies' || !command.isNode;
  const notifyPath = isNotifyWanted ? newNotifyPath(account?.uid ?? null) : null;
  if (notifyPath !== null) {
    environment['NOTIFY_SOCKET'] = notifyPath;
    // Those that the plan or the environment file sets belong to another socket.
    for (const name of ['WATCHDOG_USEC', 'WATCHDOG_PID']) setOrRemove(environment, name, undefined);
    if (isWatchedByWord) environment['WATCHDOG_USEC'] = String(watchdogMs * 1_000);
  }
  // All that is asked of a program without an address. Of `npm start` it would be the event loop of npm that turns.
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
  // Inside Node.js the preload sets LISTEN_PID.
  const started = start({ ...command, args: launch.args }, environment, {
    setsListenPid: isServer && !command.isNode && !isTold,
    setsWatchdogPid: notifyPath !== null && isWatchedByWord,
  });
  const { file, args } = started;
  const outliveMs = plan.drainTimeoutMs + beyondDrainMs;
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
    listeners,
    outliveMs,
    drainSignal: signal === 'none' ? null : signal,
  };
}

/** The program of the first generation may have asked for several addresses, each a listener of its own. */
function descriptorHeld(fd: number): GracefulRunError {
  return new GracefulRunError(
    'startFailed',
    `cannot start the worker: descriptor ${fd}, to which it is to write that it is ready, is that of a listener`,
    { hint: 'name a higher one in ready (--ready fd:20)' },
  );
}

/** The environment of the command that finds out whether the worker is ready: it is told of no listener, because it inherits none. */
function forProbe(environment: Readonly<Record<string, string>>): Record<string, string> {
  const own =
    /^(LISTEN_FDS|LISTEN_FDNAMES|SERVER_STARTER_PORT|EINHORN_\w+|GRACEFUL_RUN_(?!GENERATION|WORKER)\w+)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)));
}

let randomPart: string | null = null;
let namesMade = 0;

/** A name that no other call answers. The random part is made once: a start that needs a descriptor for it could fail without one to spare. */
function newName(): string {
  randomPart ??= randomId();
  namesMade += 1;
  return `${randomPart}-${namesMade}`;
}

/** What all workers of a program are known by: another one for each program. */
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

/** The folder, beside the preload, of the `node` that loads it whatever NODE_OPTIONS holds. */
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

/** Less up to a tenth, so that workers that have started together do not go together. */
function earlier(maxRequests: number | null): number | null {
  return maxRequests === null ? null : Math.max(1, Math.round(maxRequests * (1 - 0.1 * Math.random())));
}
