/** The keys of `[group.NAME]`. */
import { groupValues } from '../options/group-values.ts';
import { type ConfigKey, numeric } from './key-schemas.ts';

export const groupKeys: Readonly<Record<string, ConfigKey>> = {
  programs: {
    schema: groupValues.programs,
    type: 'list of names',
    default: 'required',
    description: 'The programs of the group. A program is in at most one group.',
    supervisor: 'programs',
  },
  priority: {
    schema: numeric(groupValues.priority),
    type: 'number',
    default: 'each program has its own place',
    description:
      'The place of the group in the order of start and stop, among other groups and programs without one, 0 to 999. Within the group, the programs are ordered by their own `priority`.',
    supervisor: 'priority',
  },
};
