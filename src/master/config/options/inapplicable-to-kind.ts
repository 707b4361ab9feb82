/** Options that do not go together with the type of a program. Pure. */
import { overlapsOf, typeOf, type WrittenKindOptions } from './kind-options.ts';
import type { ReplacementValues } from './replacement-options.ts';

type Written = WrittenKindOptions & {
  readonly [Name in keyof ReplacementValues]?: ReplacementValues[Name] | undefined;
} & {
  readonly schedule?: string | undefined;
  readonly rescue?: string | undefined;
  readonly migrate?: boolean | undefined;
  readonly probation?: string | undefined;
  readonly watch?: boolean | readonly string[] | undefined;
  readonly port?: number | undefined;
  readonly listen?: readonly string[] | undefined;
  readonly host?: string | undefined;
  readonly backlog?: number | undefined;
  readonly reusePort?: boolean | undefined;
  readonly ipv6Only?: boolean | undefined;
  readonly tcpFastOpen?: number | undefined;
  readonly deferAccept?: string | undefined;
  readonly keepalive?: string | undefined;
  readonly freebind?: boolean | undefined;
  readonly socketMode?: string | undefined;
  readonly socketOwner?: string | undefined;
};

export interface OptionNotForKind {
  readonly option: keyof Written | 'ready';
  readonly message: string;
  readonly hint: string;
}

/** An option that needs an address, or that a program with one cannot have. */
export function notForKind(
  option: OptionNotForKind['option'],
  reason: string,
  hint = 'leave it out, or choose another type: server, worker or oneshot',
): OptionNotForKind {
  return { option, message: `does not fit: ${reason}`, hint };
}

type Rule = (options: Written) => readonly OptionNotForKind[];

const ofAddress = [
  'port',
  'listen',
  'host',
  'backlog',
  'reusePort',
  'ipv6Only',
  'tcpFastOpen',
  'deferAccept',
  'keepalive',
  'freebind',
  'socketMode',
  'socketOwner',
] as const;

const needsAddress = (option: (typeof ofAddress)[number]): Rule => {
  return (options) => {
    const given = options[option];
    if (given === undefined || given === false || (Array.isArray(given) && given.length === 0)) return [];
    const type = typeOf(options);
    return type === 'server' ? [] : [notForKind(option, `a program of type ${type} has no address`)];
  };
};

/** The rule for a limit after which workers are replaced: the workers have to overlap, because the new one is started beside the old one. */
const needsSuccessor = (option: 'maxMemory' | 'maxLifetime' | 'maxRequests'): Rule => {
  return (options) => {
    if (options[option] === undefined) return [];
    const type = typeOf(options);
    if (type === 'server') return [];
    if (type === 'oneshot') return [notForKind(option, 'a oneshot ends by itself')];
    if (option === 'maxRequests') return [notForKind(option, `a program of type ${type} serves no requests`)];
    return overlapsOf(options)
      ? []
      : [
          notForKind(
            option,
            'a worker is replaced by one that starts beside it',
            'leave it out, or let the workers overlap (overlap)',
          ),
        ];
  };
};

/** The rule for an option that concerns the clients of a program: only a server has any. Every value is refused, because none has an effect. */
const needsClients = (option: 'rescue' | 'migrate', what: string): Rule => {
  return (options) => {
    if (options[option] === undefined) return [];
    const type = typeOf(options);
    return type === 'server' ? [] : [notForKind(option, `a program of type ${type} has no ${what}`)];
  };
};

/** Rules for options that only some types of programs can have. */
export const kindRules: readonly Rule[] = [
  ...ofAddress.map(needsAddress),
  (options) =>
    options.overlap === false && typeOf(options) === 'server'
      ? [notForKind('overlap', 'the workers of a server share its listeners, so they overlap')]
      : [],
  (options) =>
    options.schedule !== undefined && typeOf(options) !== 'oneshot'
      ? [notForKind('schedule', 'only a oneshot runs by a schedule', 'add the type oneshot, or leave it out')]
      : [],
  (options) => {
    if (options.watch === undefined || options.watch === false) return [];
    return options.schedule !== undefined && typeOf(options) === 'oneshot'
      ? [notForKind('watch', 'each scheduled run uses the current files anyway', 'leave it out')]
      : [];
  },
  (options) =>
    options.watchdog !== undefined && typeOf(options) === 'oneshot'
      ? [notForKind('watchdog', 'a oneshot ends by itself')]
      : [],
  needsClients('rescue', 'address to take over'),
  needsClients('migrate', 'connections of clients'),
  (options) => {
    if (options.probation === undefined || typeOf(options) === 'server') return [];
    if (typeOf(options) === 'oneshot') return [notForKind('probation', 'a oneshot ends by itself')];
    return overlapsOf(options)
      ? []
      : [
          notForKind(
            'probation',
            'the old workers stop first, so that none can take over again',
            'leave it out, or let the workers overlap (overlap)',
          ),
        ];
  },
  needsSuccessor('maxMemory'),
  needsSuccessor('maxLifetime'),
  needsSuccessor('maxRequests'),
];
