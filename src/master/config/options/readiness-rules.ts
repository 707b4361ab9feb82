/** Rules for `ready`, as far as the type, the listeners and the ready timeout of the program decide what it can be. Pure. */
import { formatDuration, parseDuration } from '../../../shared/durations.ts';
import type { ListenerPlan } from '../plan.ts';
import { defaults } from './defaults.ts';
import { notForKind } from './inapplicable-to-kind.ts';
import { typeOf, type WrittenKindOptions } from './kind-options.ts';
import { channelAt, parseReady } from './readiness-option.ts';

type Written = Pick<WrittenKindOptions, 'type'> & {
  readonly ready?: string | undefined;
  readonly warmup?: number | undefined;
  readonly readyTimeout?: string | undefined;
  readonly listeners: readonly ListenerPlan[];
};

export interface InapplicableReadiness {
  readonly option: string;
  readonly message: string;
  readonly hint: string;
}

type Rule = (options: Written) => readonly InapplicableReadiness[];

const readinessOf = ({ ready = defaults.ready }: Written): ReturnType<typeof parseReady> =>
  parseReady(ready, 0);

export const readinessRules: readonly Rule[] = [
  (options) =>
    (options.warmup ?? defaults.warmup) > 0 && readinessOf(options)?.when !== 'answers'
      ? [
          {
            option: 'warmup',
            message: 'needs the path of ready',
            hint: 'name the path: ready = "http:/healthz"',
          },
        ]
      : [],
  (options) => {
    const readiness = readinessOf(options);
    if (readiness?.when !== 'listens' && readiness?.when !== 'answers') return [];
    return typeOf(options) === 'server'
      ? []
      : [notForKind('ready', 'a program without an address cannot be seen to listen')];
  },
  // A descriptor that is a listener cannot be used: the program would write its newline into the listener.
  (options) => {
    const readiness = readinessOf(options);
    if (readiness?.when !== 'writesNewline') return [];
    const channel = channelAt(options.listeners.length);
    return readiness.fd > channel
      ? []
      : [
          {
            option: 'ready',
            message: `cannot be fd:${readiness.fd}: descriptors 3 to ${channel} of a worker are its listeners and the channel`,
            hint: `name a higher one: fd:${channel + 1}`,
          },
        ];
  },
  (options) => {
    const readiness = readinessOf(options);
    if (readiness?.when !== 'answers') return [];
    const { listeners } = options;
    return listeners.length > 0 && listeners.every(({ type }) => type === 'udp')
      ? [
          {
            option: 'ready',
            message: `cannot be http:${readiness.path}: the program has only UDP listeners, and HTTP needs one of TCP or a UNIX socket`,
            hint: 'ask a port of its own (http://127.0.0.1:9000/healthz), or leave it at auto',
          },
        ]
      : [];
  },
  // A delay as long as the ready timeout cannot be used: no worker would ever be ready in time.
  (options) => {
    const readiness = readinessOf(options);
    if (readiness?.when !== 'lives') return [];
    const timeoutMs = parseDuration(options.readyTimeout ?? defaults.readyTimeout) ?? 0;
    const delay = formatDuration(readiness.delayMs);
    return readiness.delayMs < timeoutMs
      ? []
      : [
          {
            option: 'ready',
            message: `cannot be delay:${delay}: a worker has to be ready in less than ${formatDuration(timeoutMs)}, the ready timeout`,
            hint: `raise ready_timeout (--ready-timeout) above ${delay}, or choose a shorter delay`,
          },
        ];
  },
];
