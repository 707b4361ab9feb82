/** How a new generation takes over, and what makes the old one take over again: how these options are written, and what they mean. Pure. */
import { parseDuration } from '../../shared/durations.ts';
import type { RolloutPlan } from './plan.ts';

/** As code names them. */
export interface RolloutOptions {
  /**
   * The share of requests that a new generation may answer with a status of 500 to 599 while it is on probation, such as
   * `5xx > 5% over 10s, at least 50 requests`: above it, the previous generation accepts again. What the previous generation failed as well is allowed
   * in addition. Counted in Node.js workers. Needs `probation`. `off`: they are not counted. Default: `off`.
   */
  readonly rollbackOn?: string;
}

/** The same, as they are checked. */
export interface RolloutValues {
  readonly rollbackOn: string;
}

const shortestWindowMs = 1_000;
const longestWindowMs = 3_600_000;
const defaultAtLeast = 50;

/** Null for `off`; undefined: it makes no sense. */
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

export interface UselessRolloutOption {
  readonly option: keyof RolloutOptions;
  readonly message: string;
  readonly hint: string;
}

/** What is written, and can have no effect. */
export function uselessRolloutOptions(options: {
  readonly rollbackOn?: string | undefined;
  readonly probation?: string | undefined;
  readonly type?: string | undefined;
}): readonly UselessRolloutOption[] {
  const { rollbackOn = 'off', probation, type = 'server' } = options;
  if (rollbackOn !== 'off' && type !== 'server')
    return [
      {
        option: 'rollbackOn',
        message: `has no effect on a program of type ${type}, which answers no requests`,
        hint: 'leave it out',
      },
    ];
  if (rollbackOn === 'off' || probation === undefined || parseDuration(probation) !== 0) return [];
  return [
    {
      option: 'rollbackOn',
      message: 'needs a probation, and that is 0s',
      hint: 'give the new generation a time in which the old one can take over again, such as 60s',
    },
  ];
}

export function rolloutPlan(options: {
  readonly [Name in keyof RolloutValues]?: RolloutValues[Name] | undefined;
}): RolloutPlan {
  return Object.freeze({ rollbackOn: parseRollbackOn(options.rollbackOn ?? 'off') ?? null });
}
