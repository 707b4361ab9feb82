/**
 * What the values of options may be, and in which words an error says so. The command line, code and config files share them. Durations
 * are written `30s`, `500ms`, `2m`.
 */
import * as z from 'zod/mini';
import { isProgramName, programNameRule } from '../../../shared/program-name.ts';
import { drainSignalNames, parseDrainSignal } from '../../launch/program-drain-signal.ts';
import type { ProcessOptions } from './launch-options.ts';
import { processValues } from './launch-values.ts';
import { type HookValues, hookValues } from './hook-values.ts';
import type { OutputOptions } from './output-options.ts';
import { outputValues } from './output-values.ts';
import { type MetricsOptions, parseMetricsAddress, wantedMetricsAddress } from './metrics-options.ts';
import { parseReady, wantedReady } from './readiness-option.ts';
import type { StopOptions } from './stop-options.ts';
import { stopValues } from './stop-values.ts';
import { parseKeepAlive, secondsOf, wantedKeepAlive } from './tcp-options.ts';
import { parseListenAddress, wantedListenAddress } from './listen-address.ts';
import type { KindValues } from './kind-options.ts';
import { kindValues } from './kind-values.ts';
import type { ReplacementValues } from './replacement-options.ts';
import { replacementValues } from './replacement-values.ts';
import type { RestartValues } from './restart-options.ts';
import { restartValues } from './restart-values.ts';
import type { ScheduleValues } from './schedule-options.ts';
import { scheduleValues } from './schedule-values.ts';
import type { RolloutValues } from './rollout-options.ts';
import { rolloutValues } from './rollout-values.ts';
import { duration, integer, text } from './value-schemas.ts';

const wantedName = `a name of ${programNameRule}`;
const wantedWorkers = 'a whole number from 1 to 1024, or auto';
const wantedDrainSignal = `auto, none, or the name of a signal: ${drainSignalNames.slice(0, -1).join(', ')} or ${drainSignalNames.at(-1) ?? ''}`;
export const wantedCommand = "a list of words, such as ['node', 'app.js']";
const wantedListen = `a list of addresses, each ${wantedListenAddress}`;
const wantedMode = 'permission bits in octal digits, such as 0660';
const wantedOwner = 'a user, a user and a group, or a group, such as www-data, www-data:web or :web';
const wantedSeconds = 'a duration of whole seconds, from 1s to 9h, such as 5s';
const wantedVariable = 'a variable: a name without = and a value without a NUL character';
const wantedToken = 'a string of visible ASCII characters';

export const programName: z.ZodMiniType<string> = z
  .string(wantedName)
  .check(z.refine(isProgramName, wantedName));

interface ProgramValues
  extends
    Required<ProcessOptions>,
    Required<OutputOptions>,
    RestartValues,
    ReplacementValues,
    KindValues,
    Required<StopOptions>,
    RolloutValues,
    ScheduleValues,
    HookValues {
  readonly command: string[];
  readonly port: number;
  readonly host: string;
  readonly listen: string[];
  readonly backlog: number;
  readonly socketMode: string;
  readonly socketOwner: string;
  readonly reusePort: boolean;
  readonly ipv6Only: boolean;
  readonly tcpFastOpen: number;
  readonly deferAccept: string;
  readonly keepalive: string;
  readonly freebind: boolean;
  readonly workers: number | 'auto';
  readonly cwd: string;
  readonly environment: Record<string, string>;
  readonly environmentFile: string;
  readonly watch: boolean | string[];
  readonly ready: string;
  readonly warmup: number;
  readonly startsecs: string;
  readonly readyTimeout: string;
  readonly drainTimeout: string;
  readonly drainSignal: string;
  readonly rescue: string;
  readonly probation: string;
  readonly migrate: boolean;
  readonly autostart: boolean;
  readonly dependsOn: string[];
}

/** The schemas of the options of one program, by the name of each option in code. */
export const programValues: { readonly [Name in keyof ProgramValues]: z.ZodMiniType<ProgramValues[Name]> } = {
  command: z.array(z.string(wantedCommand), wantedCommand),
  port: integer(0, 65_535),
  host: text('an address or a host name'),
  listen: z.array(
    z
      .string(wantedListen)
      .check(z.refine((written) => parseListenAddress(written) !== null, wantedListenAddress)),
    wantedListen,
  ),
  backlog: integer(1, 65_535),
  socketMode: z.string(wantedMode).check(z.refine((mode) => /^0?[0-7]{3}$/.test(mode), wantedMode)),
  socketOwner: z
    .string(wantedOwner)
    .check(z.refine((owner) => /^(?=.)[\w.$@-]*(:[\w.$@-]+)?$/.test(owner), wantedOwner)),
  reusePort: z.boolean('true or false'),
  ipv6Only: z.boolean('true or false'),
  tcpFastOpen: integer(1, 65_535),
  deferAccept: z
    .string(wantedSeconds)
    .check(z.refine((written) => secondsOf(written) !== null, wantedSeconds)),
  keepalive: z
    .string(wantedKeepAlive)
    .check(z.refine((written) => parseKeepAlive(written) !== null, wantedKeepAlive)),
  freebind: z.boolean('true or false'),
  workers: z.union([z.literal('auto'), integer(1, 1024, wantedWorkers)], wantedWorkers),
  cwd: text('a directory'),
  environment: z.record(
    z.string().check(z.refine((name) => /^[^=\0]+$/.test(name), wantedVariable)),
    z.string(wantedVariable).check(z.refine((value) => !value.includes('\0'), wantedVariable)),
    'a table of variables',
  ),
  environmentFile: text('a file'),
  ...processValues,
  ...outputValues,
  watch: z.union([z.boolean(), z.array(text('a path'))], 'true, or a list of paths'),
  ready: z.string(wantedReady).check(z.refine((written) => parseReady(written, 0) !== null, wantedReady)),
  warmup: integer(0, 10_000),
  startsecs: duration(0),
  readyTimeout: duration(1),
  drainTimeout: duration(0),
  drainSignal: z
    .string(wantedDrainSignal)
    .check(z.refine((written) => parseDrainSignal(written) !== null, wantedDrainSignal)),
  rescue: duration(0),
  ...stopValues,
  probation: duration(0),
  migrate: z.boolean('true or false'),
  autostart: z.boolean('true or false'),
  dependsOn: z.array(programName, 'a list of names of programs'),
  ...restartValues,
  ...hookValues,
  ...replacementValues,
  ...kindValues,
  ...scheduleValues,
  ...rolloutValues,
};

export const metricsAddress: z.ZodMiniType<string> = z
  .string(wantedMetricsAddress)
  .check(z.refine((written) => parseMetricsAddress(written) !== null, wantedMetricsAddress));
export const metricsToken: z.ZodMiniType<string> = z
  .string(wantedToken)
  .check(z.refine((token) => /^[!-~]+$/.test(token), wantedToken));

/** The schemas of the options of the master. */
export const masterValues: {
  readonly control: z.ZodMiniType<boolean>;
  readonly metrics: z.ZodMiniType<MetricsOptions>;
} = {
  control: z.boolean('true or false'),
  metrics: z.strictObject(
    {
      address: metricsAddress,
      token: z.optional(metricsToken),
      cert: z.optional(text('a file')),
      key: z.optional(text('a file')),
    },
    'a table with the address: { address: "127.0.0.1:9100" }',
  ),
};
