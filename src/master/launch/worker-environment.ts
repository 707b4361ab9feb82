/**
 * The environment of a worker: DESIGN's contract, all protocols at once, so that a program finds the one that it
 * knows. Pure. LISTEN_PID is missing on purpose: the pid is not known before the process exists; the preload
 * sets it inside Node.js, trampoline.ts for every other program. Nor does it know the preload: node-launch.ts.
 */
import { formatAddress } from '../../shared/format-address.ts';
import { env, type AnnouncedListener, type HealthOrder } from '../../shared/protocol.ts';

export interface WorkerEnvironmentOptions {
  /** The master's own environment. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** The env file's variables win over the inherited ones; the contract wins over both, except for HOST. */
  readonly fromFile: Readonly<Record<string, string>>;
  readonly listeners: readonly AnnouncedListener[];
  /**
   * Announce them by LISTEN_FDS as well. Not to a program that is told of its descriptors in its own way: gunicorn fails when `-b fd://3` names
   * one that LISTEN_FDS announces, too.
   */
  readonly hasSystemd: boolean;
  /** It has an address. Otherwise it gets no variables about listeners, nor those for Node.js. */
  readonly isServer: boolean;
  /** The worker's working directory, symlinks not resolved. */
  readonly cwd: string;
  readonly generation: number;
  readonly slot: number;
  readonly masterPid: number;
  /** What its processes agree by which of them reads the channel: another one for each worker. */
  readonly channelLock: string;
  /** What it and its descendants are known by. */
  readonly tree: string;
  readonly drainTimeoutMs: number;
  /** Where the code of a worker's boot is kept; null: nowhere. */
  readonly codeCache: string | null;
  /** After how many requests it is to be replaced; null: never because of requests. */
  readonly maxRequests: number | null;
  /** Null: it is ready when it listens. */
  readonly health: HealthOrder | null;
  /** The names of the program and of its group, and how many workers it has by its plan; null: it has no name. */
  readonly named: { readonly program: string; readonly group: string; readonly workers: number } | null;
}

/** What a master above us may have said to us: never to be taken for our own word. */
const notInherited =
  /^(LISTEN_(FDS|PID|FDNAMES)|SERVER_STARTER_\w+|EINHORN_\w+|GRACEFUL_RUN_\w+|NODE_CHANNEL_\w+)$/;

/** Of sd_notify(3) and sd_watchdog_enabled(3): what systemd has said to the unit in which the master runs. */
const ofOwnUnit: ReadonlySet<string> = new Set(['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']);

/**
 * The master's environment as everything that it starts may inherit it. With the socket of the master's unit, the STOPPING=1 of one worker would
 * be that of the whole service.
 */
export function withoutOwnUnit(environment: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ofOwnUnit.has(name)));
}

export function workerEnvironment(options: WorkerEnvironmentOptions): Record<string, string> {
  const {
    inherited,
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
    codeCache,
    maxRequests,
    health,
    named,
  } = options;
  const kept = Object.entries(inherited).flatMap(([name, value]): [string, string][] =>
    value === undefined || notInherited.test(name) || (named !== null && name === otherServer)
      ? []
      : [[name, value]],
  );
  // Not by assignment: a variable may be called `__proto__`.
  const base: Record<string, string> = { ...Object.fromEntries(kept), ...fromFile };
  const first = ofPort(listeners);
  return {
    ...base,
    PWD: cwd,
    ...(first === null ? {} : { PORT: String(first.port), HOST: base['HOST'] || first.host }),
    ...(named === null ? {} : supervisor(named, slot)),
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
      ...(codeCache === null ? {} : { [env.codeCache]: codeCache }),
      ...(maxRequests === null ? {} : { [env.maxRequests]: String(maxRequests) }),
      ...(health === null ? {} : { [env.health]: JSON.stringify(health) }),
    };
  }
}

/** Where the XML-RPC of a supervisord listens that has started the master: it does not know the names that are told to workers. */
const otherServer = 'SUPERVISOR_SERVER_URL';

/**
 * As Supervisor tells its processes. With several workers, their names are those of `process_name = %(program_name)s_%(process_num)02d`. Only the plan
 * counts: if there is one worker by it, and more after a scale, the first one keeps its name.
 */
function supervisor(
  { program, group, workers }: NonNullable<WorkerEnvironmentOptions['named']>,
  slot: number,
): Record<string, string> {
  return {
    SUPERVISOR_ENABLED: '1',
    SUPERVISOR_PROCESS_NAME:
      workers === 1 && slot === 0 ? program : `${program}_${String(slot).padStart(2, '0')}`,
    SUPERVISOR_GROUP_NAME: group,
  };
}

/** Where a variable comes from that a worker gets with another value. */
export type VariableSource = 'environment' | 'file';

/**
 * PORT, when it was set to something else than the port that is held: with the value it had, the program would listen where no client
 * comes. HOST is never changed: it may be the public name of the service.
 */
export function changedPort({
  inherited,
  fromFile,
  listeners,
}: Pick<WorkerEnvironmentOptions, 'inherited' | 'fromFile' | 'listeners'>): VariableSource | null {
  const first = ofPort(listeners);
  const given = fromFile['PORT'] ?? inherited['PORT'];
  if (first === null || given === undefined || given === '' || given === String(first.port)) return null;
  return fromFile['PORT'] === undefined ? 'environment' : 'file';
}

/** sd_listen_fds(3). Sockets of one listener have the same name, as those of one unit of systemd have. */
function systemd(listeners: readonly AnnouncedListener[]): Record<string, string> {
  return {
    LISTEN_FDS: String(listeners.length),
    LISTEN_FDNAMES: listeners.map(({ name, standsFor }) => standsFor ?? name).join(':'),
  };
}

/** The one that PORT and HOST name: the first TCP listener or, if all are UDP, the first of these. Null: there is none. */
export function ofPort<Listener extends Pick<AnnouncedListener, 'type'>>(
  listeners: readonly Listener[],
): Extract<Listener, { readonly type: 'tcp' | 'udp' }> | null {
  const isOfPort = (one: Listener): one is Extract<Listener, { readonly type: 'tcp' | 'udp' }> =>
    one.type === 'tcp' || (one.type === 'udp' && listeners.every(({ type }) => type === 'udp'));
  return listeners.find(isOfPort) ?? null;
}

/** Server::Starter: `host:port=fd` and `/path=fd`, an IPv6 host in brackets, joined by semicolons. */
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
