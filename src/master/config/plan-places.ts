/** Where a config file, or one that it includes, says the values of a plan. Pure. */
import type { PlanProblem } from '../../shared/control-api.ts';
import type { Plan } from './plan.ts';

export type Place = Pick<PlanProblem, 'file' | 'line' | 'column' | 'key'>;

/** By their key: `port`; an element of a list as `watch[1]` as well. Values that no file says have no place. */
export type Places = Readonly<Record<string, Place>>;

export interface PlanPlaces {
  readonly master: Places;
  /** By the name of the program. Its own place has the key ``. */
  readonly programs: Readonly<Record<string, Places>>;
}

export const noPlaces: PlanPlaces = { master: {}, programs: {} };

export interface PlacedPlan {
  readonly plan: Plan;
  readonly places: PlanPlaces;
}
