/** What is wrong with a plan as a whole, though each of its values is right. Pure. */
import { nearest } from '../../shared/nearest.ts';
import { formatSocketAddress } from '../../shared/format-address.ts';
import type { ListenerPlan, ProgramPlan, TcpListenerPlan, UdpListenerPlan } from './plan.ts';
import { canonicalHost } from './canonical-host.ts';
import { sharedFiles } from './shared-files.ts';
import { isWideIPv6Only } from './options/tcp-options.ts';
import { wrongPlaceholders } from './wrong-placeholders.ts';

/** A fault of the plan. Keys are written as in a config file. */
export interface PlanFault {
  /** The index of the program that has the fault, or null if it is no single program's. */
  readonly program: number | null;
  readonly key:
    | 'listen'
    | 'depends_on'
    | 'name'
    | 'command'
    | 'environment'
    | 'adopt_pid_file'
    | 'stdout_logfile'
    | 'stderr_logfile'
    | null;
  /** Which element of the key's list, or which name of its table, has the fault; null if it is the key itself. */
  readonly item: number | string | null;
  readonly message: string;
  readonly hint: string | null;
}

/** What is known of a program. Its values may have faults of their own; a value that is wrong is left out here. */
export interface CheckedProgram extends Pick<ProgramPlan, 'name' | 'command' | 'environment' | 'dependsOn'> {
  /** Its listeners, or null if their options are wrong themselves. */
  readonly listeners: readonly ListenerPlan[] | null;
  readonly reusePort: boolean;
  readonly kind: Pick<ProgramPlan['kind'], 'type' | 'pidFile'>;
  /** Where its output goes, or null if that is not known. */
  readonly output: ProgramPlan['output'] | null;
  /** Its schedule, or null if it does not run by one. */
  readonly schedule: unknown;
}

/**
 * Finds what is wrong with the plan as a whole. `otherNames`: the names of further programs of the plan; null if they are not known, and then no name
 * counts as unknown.
 */
export function checkPlan(
  programs: readonly CheckedProgram[],
  otherNames: readonly string[] | null = [],
): readonly PlanFault[] {
  if (programs.length === 0 && otherNames?.length === 0)
    return [
      {
        ...nowhere,
        message: 'there is no program',
        hint: 'add one: a table [program.NAME] with command and port',
      },
    ];
  const names = otherNames === null ? null : [...programs.flatMap(({ name }) => name ?? []), ...otherNames];
  return [
    ...duplicateNames(programs),
    ...missingListeners(programs),
    ...sharedAddresses(programs),
    ...standardStreams(programs),
    ...notReusable(programs),
    ...sharedFiles(programs),
    ...programs.flatMap(({ listeners, ...one }, program) =>
      listeners === null
        ? []
        : wrongPlaceholders({ ...one, listeners }).map((fault) => ({ program, ...fault })),
    ),
    ...(names === null ? [] : unknownDependencies(programs, names)),
    ...scheduledDependencies(programs),
    ...cycles(programs),
  ];
}

const nowhere = { program: null, key: null, item: null, hint: null } as const;

function duplicateNames(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  return programs.flatMap(({ name }, program) =>
    name !== null && programs.findIndex((other) => other.name === name) < program
      ? [
          {
            ...nowhere,
            program,
            key: 'name' as const,
            message: `there are two programs with the name ${name}`,
          },
        ]
      : [],
  );
}

function missingListeners(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  return programs.flatMap(({ listeners, kind }, program) =>
    listeners === null || listeners.length > 0 || kind.type !== 'server'
      ? []
      : [
          {
            ...nowhere,
            program,
            message: 'needs a listener',
            hint: 'add the key port or listen, or type = "worker" for a program that has no address',
          },
        ],
  );
}

interface Bound {
  readonly program: number;
  readonly item: number;
  readonly listener: ListenerPlan;
}

/** Listeners with the same address. Each is reported once, with the first listener that it collides with. */
function sharedAddresses(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  /** The listeners with a port, by protocol and port: TCP and UDP have ports of their own. */
  const byPort = new Map<string, Bound[]>();
  /** The listeners without a port, by their path or descriptor. */
  const byName = new Map<string, Bound>();
  const faults: PlanFault[] = [];
  programs.forEach(({ listeners }, program) => {
    listeners?.forEach((listener, item) => {
      if (listener.type === 'unix' || listener.type === 'fd') {
        const first = byName.get(nameOf(listener));
        if (first === undefined) byName.set(nameOf(listener), { program, item, listener });
        else report({ program, item, listener }, first);
        return;
      }
      // Port 0 stands for any free port, another one for each listener.
      if (listener.port === 0) return;
      const port = `${listener.type} ${listener.port}`;
      const before = byPort.get(port) ?? [];
      const other = before.find((one) => 'host' in one.listener && collide(one.listener, listener));
      before.push({ program, item, listener });
      byPort.set(port, before);
      if (other !== undefined) report({ program, item, listener }, other);
    });
  });
  return faults;

  function report({ program, item, listener }: Bound, other: Bound): void {
    const [here, there] = [nameOf(listener), nameOf(other.listener)];
    const owner =
      other.program === program ? 'another listener' : `program ${programs[other.program]?.name ?? ''}`;
    faults.push({
      ...nowhere,
      program,
      key: 'listen',
      item,
      message:
        here === there
          ? `${here} is taken by ${owner} of this plan`
          : `${here} cannot be held together with ${there} of ${owner}`,
      hint: `give each listener ${own[listener.type]} of its own`,
    });
  }
}

const own = {
  tcp: 'a port or an address',
  udp: 'a port or an address',
  unix: 'a path',
  fd: 'a descriptor',
} as const;

/** The highest descriptor of the standard streams. */
const lastStandardDescriptor = 2;

function standardStreams(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  return programs.flatMap(({ listeners }, program) =>
    (listeners ?? []).flatMap((listener, item) =>
      listener.type === 'fd' && listener.fd <= lastStandardDescriptor
        ? [
            {
              program,
              key: 'listen' as const,
              item,
              message: `fd:${listener.fd} is standard input, output or error`,
              hint: 'hand graceful-run the socket at descriptor 3 or a higher one',
            },
          ]
        : [],
    ),
  );
}

/** The listeners of a program with reuse_port that cannot be one socket for each worker. */
function notReusable(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  return programs.flatMap(({ listeners, reusePort }, program) =>
    (reusePort ? (listeners ?? []) : []).flatMap((listener, item) => {
      const where = { program, key: 'listen' as const, item };
      if (listener.type !== 'tcp')
        return [
          {
            ...where,
            message: `${nameOf(listener)} cannot be used with reuse_port, which only TCP has`,
            hint: 'leave out reuse_port (--reuse-port): the workers then share the listener',
          },
        ];
      // If the program asked for another address, the master could not move all of these sockets there.
      if (listener.host === null)
        return [
          {
            ...where,
            message: `port ${listener.port} needs a host with reuse_port`,
            hint: 'name one with host (--host): 127.0.0.1 for this machine only, :: for every address',
          },
        ];
      return [];
    }),
  );
}

function nameOf(listener: ListenerPlan): string {
  if (listener.type === 'fd') return `fd:${listener.fd}`;
  if (listener.type === 'unix') return formatSocketAddress(listener);
  if (listener.host === null) return `port ${listener.port}`;
  return formatSocketAddress({ type: listener.type, host: listener.host, port: listener.port });
}

type PortPlan = TcpListenerPlan | UdpListenerPlan;

/** Whether Linux refuses to let two sockets listen on these hosts with one port. A name could be any address: it is compared as a name. */
function collide(one: PortPlan, other: PortPlan): boolean {
  return addressesOf(one).some((a) => addressesOf(other).some((b) => collidesWith(a, b)));
}

function collidesWith(one: string, other: string): boolean {
  if (one === other || one === '::' || other === '::') return true;
  if (one === everyIPv6 || other === everyIPv6) return !isIPv4(one) && !isIPv4(other);
  if (one !== '0.0.0.0' && other !== '0.0.0.0') return false;
  return isIPv4(one) && isIPv4(other);
}

/** Stands for `::` on a socket that takes no IPv4 connections. */
const everyIPv6 = '::/0';

function isIPv4(address: string): boolean {
  return !address.includes(':');
}

/** The addresses that a listener covers. A host of null is every address, as Node.js binds it: `::`, which takes IPv4 connections too. */
function addressesOf(listener: PortPlan): readonly string[] {
  const { host } = listener;
  if (host === null) return ['::'];
  if (isWideIPv6Only(listener)) return [everyIPv6];
  const written = host.toLowerCase();
  return written === 'localhost' ? ['127.0.0.1', '::1'] : [canonicalHost(written)];
}

function unknownDependencies(
  programs: readonly CheckedProgram[],
  names: readonly string[],
): readonly PlanFault[] {
  const known = new Set(names);
  return programs.flatMap(({ name, dependsOn }, program) =>
    dependsOn.flatMap((wanted, item) => {
      if (known.has(wanted)) return [];
      const meant = nearest(
        wanted,
        names.filter((one) => one !== name),
      );
      const hint = meant === null ? null : `did you mean ${meant}?`;
      return [
        {
          program,
          key: 'depends_on' as const,
          item,
          message: `there is no program ${JSON.stringify(wanted)}`,
          hint,
        },
      ];
    }),
  );
}

/** Programs that depend on a scheduled one: nothing can wait for a run that the clock begins. */
function scheduledDependencies(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  const scheduled = new Set(programs.flatMap(({ name, schedule }) => (schedule === null ? [] : [name])));
  return programs.flatMap(({ dependsOn }, program) =>
    dependsOn.flatMap((wanted, item) =>
      scheduled.has(wanted)
        ? [
            {
              program,
              key: 'depends_on' as const,
              item,
              message: `${wanted} runs by a schedule, so that nothing can wait for it`,
              hint: 'leave it out',
            },
          ]
        : [],
    ),
  );
}

/** One fault for each cycle, at the program of it that was written first. */
function cycles(programs: readonly CheckedProgram[]): readonly PlanFault[] {
  const indexOf = new Map(programs.map(({ name }, index) => [name, index]));
  const done = new Set<number>();
  const faults: PlanFault[] = [];

  /** Iterates instead of recursing: a chain may have thousands of programs. */
  function search(start: number): void {
    const way = [{ program: start, next: 0 }];
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      const name = programs[last.program]?.dependsOn[last.next++];
      if (name === undefined) {
        done.add(last.program);
        way.pop();
        continue;
      }
      const program = indexOf.get(name);
      if (program === undefined || done.has(program)) continue;
      const at = way.findIndex((one) => one.program === program);
      if (at === -1) way.push({ program, next: 0 });
      else report(way.slice(at).map((one) => one.program));
    }
  }

  function report(cycle: readonly number[]): void {
    const start = cycle.indexOf(Math.min(...cycle));
    const ordered = [...cycle.slice(start), ...cycle.slice(0, start)];
    const [first = 0, second = first] = ordered;
    const names = [...ordered, first].map((program) => programs[program]?.name ?? '');
    const item = programs[first]?.dependsOn.indexOf(programs[second]?.name ?? '') ?? -1;
    faults.push({
      program: first,
      key: 'depends_on',
      item: item === -1 ? null : item,
      message: `is a cycle: ${names.join(' → ')}`,
      hint: 'remove one of them: a program is started after those that it depends on',
    });
  }

  programs.forEach((_, program) => {
    if (!done.has(program)) search(program);
  });
  return faults;
}
