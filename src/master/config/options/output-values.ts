/** What the values of the options of output may be, and in which words an error says so. */
import * as z from 'zod/mini';
import {
  logfileFault,
  mostBackups,
  type OutputOptions,
  sizeOf,
  type SyslogFacility,
  syslogFacilities,
  wantedLogfile,
  wantedMaxbytes,
} from './output-options.ts';
import { integer } from './value-schemas.ts';

const wantedBoolean = 'true or false';

const logfile = z.string(wantedLogfile).check(
  z.refine((written) => logfileFault(written) === null, {
    error: ({ input }) => logfileFault(String(input)) ?? wantedLogfile,
  }),
);
const size = z
  .union([z.string(), z.number()], wantedMaxbytes)
  .check(z.refine((written) => sizeOf(written) !== null, wantedMaxbytes));
const backups = integer(0, mostBackups);
const flag = z.boolean(wantedBoolean);

/** The schemas of the output options, by the name of each option in code. */
export const outputValues: {
  readonly [Option in keyof OutputOptions]-?: z.ZodMiniType<Required<OutputOptions>[Option]>;
} = {
  stdoutLogfile: logfile,
  stdoutLogfileMaxbytes: size,
  stdoutLogfileBackups: backups,
  stderrLogfile: logfile,
  stderrLogfileMaxbytes: size,
  stderrLogfileBackups: backups,
  redirectStderr: flag,
  logPrefix: flag,
  logfileCompress: flag,
  logfileDaily: flag,
  logfileTimestamps: flag,
  logfileFormat: z.enum(['plain', 'json'], 'plain or json'),
  stripAnsi: flag,
  syslogFacility: z.enum(
    Object.keys(syslogFacilities) as SyslogFacility[],
    `a facility of syslog: ${Object.keys(syslogFacilities).join(', ')}`,
  ),
  logfileOverflow: z.enum(['block', 'drop'], 'block or drop'),
};
