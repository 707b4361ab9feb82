/** How a new generation takes over, and what makes the old one take over again: how these options are written, and what they mean. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import type { RolloutPlan, WorkerAmount } from '../plan.ts';
import { defaults } from './defaults.ts';

/** The rollout options in code. */
export interface RolloutOptions {
  /**
   * How many more workers than `workers` may run during a reload: a number, or a share such as `25%`, which is rounded up. `100%`: all new workers start
   * beside all old ones. Otherwise the new ones are started in steps of `maxSurge` and `maxUnavailable` together. Default: `100%`.
   */
  readonly maxSurge?: number | string;
  /** How many fewer workers than `workers` may serve during a reload in steps: a number, or a share such as `25%`, which is rounded down. Default 0. */
  readonly maxUnavailable?: number | string;
  /** How long the new workers of a step serve before the next step begins. Default: the `probation`. */
  readonly rolloutPause?: string;
  /** Start this many new workers first at a reload, and the others only when these have served for the `canaryTime`. 0: no canary. Default 0. */
  readonly canary?: number;
  /** How long the first workers (`canary`) serve before the others are started. Default: the `probation`. */
  readonly canaryTime?: string;
  /**
   * The share of requests that a new generation may answer with a status of 500 to 599 while it is on probation, such as
   * `5xx > 5% over 10s, at least 50 requests`: above it, the previous generation accepts again. Errors that the previous generation has as well are
   * allowed in addition. Counted in Node.js workers. Needs `probation`. `off`: they are not counted. Default: `off`.
   */
  readonly rollbackOn?: string;
}

/** The same options once their values are checked. */
export interface RolloutValues {
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
  readonly rolloutPause: string;
  readonly canary: number;
  readonly canaryTime: string;
  readonly rollbackOn: string;
}

const shortestWindowMs = 1_000;
const longestWindowMs = 3_600_000;
const defaultAtLeast = 50;

/** Parses the option `rollbackOn`: null for `off`, undefined if it is not valid. */
export function parseRollbackOn(written: string): RolloutPlan['rollbackOn'] | undefined {
  if (written === 'off') return null;
  const match = /^5xx *> *(\d{1,2}(?:\.\d+)?)% +over +(\S+?)(?:, *at least +(\d{1,6}) +requests?)?$/.exec(
    written.trim(),
  );
  if (match === null) return undefined;
  const [, percent = '', window = '', requests] = match;
  const overMs = parseDuration(window);
  const atLeast = requests === undefined ? defaultAtLeast : Number(requests);
  if (overMs === null || overMs < shortestWindowMs || overMs > longestWindowMs || atLeast < 1)
    return undefined;
  return Object.freeze({ share: Number(percent) / 100, overMs, atLeast });
}

const mostWorkers = 1024;

/** Parses a number of workers, or a share of them; null if it is not valid. */
export function parseAmount(written: number | string): WorkerAmount | null {
  if (typeof written === 'number' || /^\d{1,4}$/.test(written)) {
    const count = Number(written);
    return Number.isInteger(count) && count >= 0 && count <= mostWorkers ? Object.freeze({ count }) : null;
  }
  const [, percent] = /^(\d{1,3}) ?%$/.exec(written) ?? [];
  return percent === undefined || Number(percent) > 100
    ? null
    : Object.freeze({ share: Number(percent) / 100 });
}

export interface InapplicableRolloutOption {
  readonly option: keyof RolloutOptions;
  readonly message: string;
  readonly hint: string;
}

type Given = { readonly [Name in keyof RolloutValues]?: RolloutValues[Name] | undefined };

interface OtherOptions {
  readonly probation?: string | undefined;
  readonly type?: string | undefined;
  readonly overlap?: boolean | undefined;
  readonly workers?: number | 'auto' | undefined;
}

type Rule = (options: Given & OtherOptions) => readonly InapplicableRolloutOption[];

function probationMs({ probation = defaults.probation }: OtherOptions): number | null {
  return parseDuration(probation);
}

const isCounted = ({ rollbackOn = defaults.rollbackOn }: Given): boolean => rollbackOn !== 'off';

const failureRules: readonly Rule[] = [
  (options) => {
    if (!isCounted(options)) return [];
    const { type = defaults.type } = options;
    return type === 'server'
      ? []
      : [
          {
            option: 'rollbackOn',
            message: `has no effect on a program of type ${type}, which answers no requests`,
            hint: 'leave it out',
          },
        ];
  },
  (options) => {
    if (!isCounted(options) || (options.type ?? defaults.type) !== 'server') return [];
    return probationMs(options) === 0 && (options.canary ?? defaults.canary) === 0
      ? [
          {
            option: 'rollbackOn',
            message: 'needs a probation, and that is 0s',
            hint: 'give the new generation a time in which the old one can take over again, such as 60s',
          },
        ]
      : [];
  },
];

/** Whether the old workers stop before the new ones start at a reload. The workers of a server always overlap. */
function stopsFirst({ type = defaults.type, overlap = defaults.overlap }: OtherOptions): boolean {
  return type === 'oneshot' || (type !== 'server' && !overlap);
}

const overlapRules: readonly Rule[] = (
  ['maxSurge', 'maxUnavailable', 'rolloutPause', 'canary', 'canaryTime'] as const
).map((option) => (options) => {
  if (options[option] === undefined || !stopsFirst(options)) return [];
  const message =
    options.type === 'oneshot'
      ? 'has no effect on a program of type oneshot, which is not reloaded while it runs'
      : 'has no effect if the workers do not overlap: the old ones stop first';
  return [{ option, message, hint: 'leave it out' }];
});

const stepRules: readonly Rule[] = [
  (options) => {
    if (options.maxSurge === undefined || stopsFirst(options)) return [];
    return isNone(parseAmount(options.maxSurge)) &&
      isNone(parseAmount(options.maxUnavailable ?? defaults.maxUnavailable))
      ? [
          {
            option: 'maxSurge',
            message:
              'leaves no room for a new worker, because no worker may be unavailable either (max_unavailable)',
            hint: 'let one more worker run during a reload, or one fewer serve',
          },
        ]
      : [];
  },
  ...(['maxUnavailable', 'rolloutPause'] as const).map((option): Rule => (options) => {
    if (options[option] === undefined || stopsFirst(options)) return [];
    const surge = parseAmount(options.maxSurge ?? defaults.maxSurge);
    return surge !== null && isAll(surge)
      ? [
          {
            option,
            message: 'has no effect, because all new workers are started at once',
            hint: 'leave it out, or let fewer workers run at a time (max_surge)',
          },
        ]
      : [];
  }),
];

const canaryRules: readonly Rule[] = [
  (options) =>
    options.canaryTime === undefined || stopsFirst(options) || (options.canary ?? defaults.canary) !== 0
      ? []
      : [
          {
            option: 'canaryTime',
            message: 'has no effect without a canary',
            hint: 'leave it out, or say how many new workers serve first: canary (--canary)',
          },
        ],
  (options) => {
    const { canary = defaults.canary } = options;
    if (canary === 0 || stopsFirst(options)) return [];
    const { workers = defaults.workers } = options;
    return workers === 'auto' || canary < workers
      ? []
      : [
          {
            option: 'canary',
            message: `has no effect with ${workers === 1 ? 'one worker' : `${workers} workers`}: it is for fewer than all`,
            hint: 'leave it out (the probation is for all workers), or run more workers',
          },
        ];
  },
  (options) => {
    const { canary = defaults.canary } = options;
    if (canary === 0 || stopsFirst(options)) return [];
    const { canaryTime } = options;
    const timeMs = canaryTime === undefined ? probationMs(options) : parseDuration(canaryTime);
    return timeMs === 0
      ? [
          {
            option: 'canary',
            message: 'needs a time to serve before the others are started, and that is 0s',
            hint: 'say how long (canary_time), such as 60s',
          },
        ]
      : [];
  },
];

/** Rules for options that can have no effect, or that contradict each other. */
export const rolloutRules: readonly Rule[] = [...failureRules, ...overlapRules, ...stepRules, ...canaryRules];

function isNone(amount: WorkerAmount | null): boolean {
  return amount !== null && ('count' in amount ? amount.count : amount.share) === 0;
}

function isAll(amount: WorkerAmount): boolean {
  return 'share' in amount && amount.share === 1;
}

export function rolloutPlan(options: Given & OtherOptions): RolloutPlan {
  const surge = parseAmount(options.maxSurge ?? defaults.maxSurge) ?? { share: 1 };
  const restMs = probationMs(options) ?? 0;
  const { rolloutPause, canaryTime } = options;
  return Object.freeze({
    steps: Object.freeze({
      maxSurge: isAll(surge) ? null : surge,
      maxUnavailable:
        parseAmount(options.maxUnavailable ?? defaults.maxUnavailable) ?? Object.freeze({ count: 0 }),
      pauseMs: rolloutPause === undefined ? restMs : (parseDuration(rolloutPause) ?? 0),
      canary: options.canary ?? defaults.canary,
      canaryMs: canaryTime === undefined ? restMs : (parseDuration(canaryTime) ?? 0),
    }),
    rollbackOn: parseRollbackOn(options.rollbackOn ?? defaults.rollbackOn) ?? null,
  });
}
