/** Where a config file, or one that it includes, says the values of a plan. Pure. */
import type { PlanProblem } from '../../shared/control-api.ts';
import type { Plan } from './plan.ts';

export type Place = Pick<PlanProblem, 'file' | 'line' | 'column' | 'key'>;

/** The places of values by their key, such as `port`, and of the elements of a list, such as `watch[1]`. Values that no file says have no place. */
export type Places = Readonly<Record<string, Place>>;

export interface PlanPlaces {
  readonly master: Places;
  /** The places of each program, by its name. The place of the program itself has the empty key. */
  readonly programs: Readonly<Record<string, Places>>;
}

export const noPlaces: PlanPlaces = { master: {}, programs: {} };

export interface PlacedPlan {
  readonly plan: Plan;
  readonly places: PlanPlaces;
}
