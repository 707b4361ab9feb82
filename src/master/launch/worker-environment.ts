/**
 * The environment of a worker. It announces the listeners in all protocols at once, so that a program finds the one that it knows. LISTEN_PID is missing
 * on purpose, because the pid is not known before the process exists: the preload sets it inside Node.js, and trampoline.ts for every other program. The
 * variables that load the preload are added by node-launch.ts. Pure.
 */
import { formatAddress } from '../../shared/format-address.ts';
import { env, type AnnouncedListener, type HealthOrder } from '../../shared/protocol.ts';

export interface WorkerEnvironmentOptions {
  /** The master's own environment, with the variables of the worker's user. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** The variables of the plan. They override the inherited ones and those of Supervisor. */
  readonly fromPlan: Readonly<Record<string, string>>;
  /** The variables of the environment file. They override those of the plan. The variables that are set here override both, except for HOST and those of Supervisor. */
  readonly fromFile: Readonly<Record<string, string>>;
  readonly listeners: readonly AnnouncedListener[];
  /**
   * Whether to announce the listeners by LISTEN_FDS as well. False for a program that is told of its descriptors in its own way: gunicorn fails if `-b
   * fd://3` names a descriptor that LISTEN_FDS announces, too.
   */
  readonly hasSystemd: boolean;
  /** Whether the program has an address. Otherwise it gets no variables about listeners, nor those for Node.js. */
  readonly isServer: boolean;
  /** The worker's working directory, with symlinks not resolved. */
  readonly cwd: string;
  readonly generation: number;
  readonly slot: number;
  readonly masterPid: number;
  /** The name of the lock by which the worker's processes agree which of them reads the channel. Each worker has another one. */
  readonly channelLock: string;
  /** The name by which the worker and its descendants are found. */
  readonly tree: string;
  readonly drainTimeoutMs: number;
  /** How long the worker serves after its master was killed. */
  readonly rescueMs: number;
  /** The beginning of the path at which the compiled code of a worker's boot is kept, or null if it is not kept. */
  readonly codeCache: string | null;
  /** After how many requests the worker is to be replaced, or null if their number does not matter. */
  readonly maxRequests: number | null;
  /** The health path and its settings, or null if the worker is ready once it listens. */
  readonly health: HealthOrder | null;
  /** The names of the program and of its group, and how many workers it has by its plan; null if the program has no name. */
  readonly named: { readonly program: string; readonly group: string; readonly workers: number } | null;
}

/** Variables that another master above this one may have set. A worker must not take them for those of this master. */
const notInherited =
  /^(LISTEN_(FDS|PID|FDNAMES)|SERVER_STARTER_\w+|EINHORN_\w+|GRACEFUL_RUN_\w+|NODE_CHANNEL_\w+)$/;

/** The variables of sd_notify(3) and sd_watchdog_enabled(3), by which systemd tells the master's own unit something. */
const ofOwnUnit: ReadonlySet<string> = new Set(['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']);

/**
 * The master's environment without the variables of its own unit, for everything that it starts. With the socket of that unit, the STOPPING=1 of one
 * worker would be that of the whole service.
 */
export function withoutOwnUnit(environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ofOwnUnit.has(name)));
}

export function workerEnvironment(options: WorkerEnvironmentOptions): Record<string, string> {
  const {
    inherited,
    fromPlan,
    fromFile,
    listeners,
    hasSystemd,
    isServer,
    cwd,
    generation,
    slot,
    masterPid,
    channelLock,
    tree,
    drainTimeoutMs,
    rescueMs,
    codeCache,
    maxRequests,
    health,
    named,
  } = options;
  const given: WorkerEnvironmentOptions['inherited'] = {
    ...inherited,
    ...(named === null ? {} : supervisor(named, slot)),
    ...fromPlan,
  };
  const kept = Object.entries(given).flatMap(([name, value]): [string, string][] =>
    value === undefined || notInherited.test(name) ? [] : [[name, value]],
  );
  // Object.fromEntries() instead of assignments, because a variable may be called `__proto__`.
  const base: Record<string, string> = { ...Object.fromEntries(kept), ...fromFile };
  const first = ofPort(listeners);
  return {
    ...base,
    PWD: cwd,
    ...(first === null ? {} : { PORT: String(first.port), HOST: base['HOST'] || first.host }),
    [env.generation]: String(generation),
    [env.worker]: String(slot),
    [env.channelLock]: channelLock,
    [env.tree]: tree,
    ...(isServer ? server() : {}),
  };

  function server(): Record<string, string> {
    return {
      ...(hasSystemd ? systemd(listeners) : {}),
      ...serverStarter(listeners, generation),
      ...einhorn(listeners),
      [env.master]: String(masterPid),
      [env.listeners]: JSON.stringify(listeners),
      [env.drainTimeout]: String(drainTimeoutMs),
      ...(rescueMs === 0 ? {} : { [env.rescue]: String(rescueMs) }),
      ...(codeCache === null ? {} : { [env.codeCache]: codeCache }),
      ...(maxRequests === null ? {} : { [env.maxRequests]: String(maxRequests) }),
      ...(health === null ? {} : { [env.health]: JSON.stringify(health) }),
    };
  }
}

/** The XML-RPC address of a supervisord that has started the master: it does not know the names that workers are given here. */
const otherServer = 'SUPERVISOR_SERVER_URL';

/**
 * The variables that Supervisor gives its processes. With several workers, their names are those of `process_name = %(program_name)s_%(process_num)02d`.
 * Only the plan counts: if it has one worker, and there are more after a scale, the first one keeps its name.
 */
function supervisor(
  { program, group, workers }: NonNullable<WorkerEnvironmentOptions['named']>,
  slot: number,
): WorkerEnvironmentOptions['inherited'] {
  return {
    [otherServer]: undefined,
    SUPERVISOR_ENABLED: '1',
    SUPERVISOR_PROCESS_NAME:
      workers === 1 && slot === 0 ? program : `${program}_${String(slot).padStart(2, '0')}`,
    SUPERVISOR_GROUP_NAME: group,
  };
}

/** The source of a variable that a worker gets with another value. */
export type VariableSource = 'environment' | 'file';

/**
 * Where PORT comes from, if it names another port than the one that is held; null otherwise. A worker gets the held port instead: with the other one, it
 * would listen where no client connects. HOST is never changed: it may be the public name of the service.
 */
export function changedPort({
  inherited,
  fromPlan,
  fromFile,
  listeners,
}: Pick<
  WorkerEnvironmentOptions,
  'inherited' | 'fromPlan' | 'fromFile' | 'listeners'
>): VariableSource | null {
  const first = ofPort(listeners);
  const given = fromFile['PORT'] ?? fromPlan['PORT'] ?? inherited['PORT'];
  if (first === null || given === undefined || given === '' || given === String(first.port)) return null;
  return fromFile['PORT'] === undefined ? 'environment' : 'file';
}

/** The variables of sd_listen_fds(3). Sockets of one listener have the same name, as those of one unit of systemd have. */
function systemd(listeners: readonly AnnouncedListener[]): Record<string, string> {
  return {
    LISTEN_FDS: String(listeners.length),
    LISTEN_FDNAMES: listeners.map(({ name, standsFor }) => standsFor ?? name).join(':'),
  };
}

/** The listener that PORT and HOST name: the first one of TCP or, if all are UDP, the first of these. Null if there is none. */
export function ofPort<Listener extends Pick<AnnouncedListener, 'type'>>(
  listeners: readonly Listener[],
): Extract<Listener, { readonly type: 'tcp' | 'udp' }> | null {
  const isOfPort = (one: Listener): one is Extract<Listener, { readonly type: 'tcp' | 'udp' }> =>
    one.type === 'tcp' || (one.type === 'udp' && listeners.every(({ type }) => type === 'udp'));
  return listeners.find(isOfPort) ?? null;
}

/** The variables of Server::Starter: `host:port=fd` and `/path=fd`, with an IPv6 host in brackets, joined by semicolons. */
function serverStarter(listeners: readonly AnnouncedListener[], generation: number): Record<string, string> {
  const ports = listeners.map(
    (one) => `${one.type === 'unix' ? one.path : formatAddress(one.host, one.port)}=${one.fd}`,
  );
  return { SERVER_STARTER_PORT: ports.join(';'), SERVER_STARTER_GENERATION: String(generation) };
}

function einhorn(listeners: readonly AnnouncedListener[]): Record<string, string> {
  const fds = listeners.map(({ fd }, index) => [`EINHORN_FD_${index}`, String(fd)] as const);
  return { ...Object.fromEntries(fds), EINHORN_FD_COUNT: String(listeners.length) };
}
