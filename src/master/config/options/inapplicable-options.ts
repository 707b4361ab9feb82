/** Options whose values are right, but which do not go together, or can have no effect. Pure. */
import { kindRules } from './inapplicable-to-kind.ts';
import { pidFileRules } from './kind-options.ts';
import { outputRules } from './output-options.ts';
import { readinessRules } from './readiness-rules.ts';
import { rolloutRules } from './rollout-options.ts';
import { scheduleRules } from './schedule-options.ts';
import { socketRules } from './tcp-options.ts';

export interface InapplicableOption {
  /** The name of the option in code. */
  readonly option: string;
  readonly message: string;
  readonly hint: string;
}

type Options<Rules extends readonly ((options: never) => unknown)[]> = Parameters<Rules[number]>[0];

/** The options of a program, and the listeners that they are compiled into. */
export type JudgedOptions = Options<typeof kindRules> &
  Options<typeof pidFileRules> &
  Options<typeof socketRules> &
  Options<typeof outputRules> &
  Options<typeof rolloutRules> &
  Options<typeof scheduleRules> &
  Options<typeof readinessRules>;

const rules: readonly ((options: JudgedOptions) => readonly InapplicableOption[])[] = [
  ...kindRules,
  ...socketRules,
  ...pidFileRules,
  ...outputRules,
  ...rolloutRules,
  ...scheduleRules,
  ...readinessRules,
];

/** Finds the options that do not go together. `unknown`: options whose values are wrong; a rule that reads one of them finds nothing. */
export function inapplicableOptions(
  options: JudgedOptions,
  unknown: Iterable<string> = [],
): readonly InapplicableOption[] {
  const guarded = { ...options };
  const missed = new Set<string>();
  for (const option of unknown)
    Object.defineProperty(guarded, option, {
      get: () => {
        missed.add(option);
        return Reflect.get(options, option) as unknown;
      },
    });
  return rules.flatMap((rule) => {
    missed.clear();
    const found = rule(guarded);
    return missed.size === 0 ? found : [];
  });
}
