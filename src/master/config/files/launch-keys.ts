/** The keys of a config file that say what kind of process a worker is: its user, its limits, its priorities. */
import { defaults } from '../options/defaults.ts';
import { limitNames, processPatterns } from '../options/launch-options.ts';
import { processValues } from '../options/launch-values.ts';
import { boolean, type ConfigKey, innerRules, numeric, orVariable } from './key-schemas.ts';

innerRules.add(processValues.limits, { propertyNames: { enum: [...limitNames] } });

export const launchKeys: Readonly<Record<string, ConfigKey>> = {
  user: {
    schema: processValues.user,
    type: 'text',
    default: 'the user of the master',
    description:
      'The user that the workers run as, by name or number, with its supplementary groups, and with HOME, USER, LOGNAME and SHELL of its entry in the user database; `"www-data:web"` names another group. graceful-run has to be root ([details](processes.md#user)).',
    supervisor: 'user',
    pattern: orVariable(processPatterns.user),
    option: 'user',
  },
  umask: {
    schema: processValues.umask,
    type: 'text',
    default: "the master's",
    description: 'The file mode creation mask of the workers, in octal digits: `"027"`.',
    supervisor: 'umask',
    pattern: orVariable(processPatterns.umask),
    option: 'umask',
  },
  nice: {
    schema: numeric(processValues.nice, 'signed'),
    type: 'number',
    default: "the master's",
    description:
      'The nice value of the workers, -20 (most favoured) to 19. A value below that of the master requires root.',
    supervisor: null,
    option: 'nice',
  },
  limits: {
    schema: processValues.limits,
    type: 'table',
    default: "the master's",
    description:
      'Resource limits of the workers, by their names in prlimit(1): `{ nofile = 65536, core = "unlimited", nproc = "100:200" }`. A single value sets both the soft and the hard limit, and `"SOFT:HARD"` sets them separately. Raising a hard limit requires root. Those of `[defaults]` are added.',
    supervisor: null,
    option: 'limits',
  },
  no_new_privileges: {
    schema: boolean(processValues.noNewPrivileges),
    type: 'boolean',
    default: String(defaults.noNewPrivileges),
    description:
      'No process of a worker can gain privileges by executing a file: `sudo` and other set-user-ID programs do not work.',
    supervisor: null,
    option: 'noNewPrivileges',
  },
  cpu_affinity: {
    schema: processValues.cpuAffinity,
    type: 'text',
    default: "the master's",
    description: 'The CPUs that the workers may run on: `"0"`, `"0-3"`, `"0-3,6"`.',
    supervisor: null,
    pattern: orVariable(processPatterns.cpus),
    option: 'cpuAffinity',
  },
  oom_score_adj: {
    schema: numeric(processValues.oomScoreAdj, 'signed'),
    type: 'number',
    default: "the master's",
    description:
      'How readily the kernel kills a worker when memory runs out, -1000 (never) to 1000 (first). Lowering it requires root.',
    supervisor: null,
    option: 'oomScoreAdj',
  },
};
