/** What the process that reads a config file writes to descriptor 3: one of these, as JSON. */
import type { PlanProblem } from '../../shared/control-api.ts';
import type { Plan } from './plan.ts';
import type { PlanPlaces } from './plan-places.ts';

export type ReadPlanAnswer =
  /** The version of the package that wrote the answer. */
  | { readonly version: string; readonly plan: Plan; readonly places: PlanPlaces }
  | { readonly version: string; readonly problems: readonly PlanProblem[] };

/** The descriptor of the answer in the process that reads the file. */
export const answerDescriptor = 3;
