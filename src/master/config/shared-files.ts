/** Files that two programs of a plan cannot have together. Pure. */
import { type LogFileSettings, logfilePath, type OutputPlan } from './options/output-options.ts';
import type { KindPlan } from './options/kind-options.ts';
import { isSame } from './same-data.ts';

export interface ProgramFiles {
  readonly name: string | null;
  readonly kind: Pick<KindPlan, 'pidFile'>;
  /** Where its output goes, or null if that is not known. */
  readonly output: OutputPlan | null;
}

export interface SharedFile {
  /** The index of the program that is the second one to name it. */
  readonly program: number;
  readonly key: 'adopt_pid_file' | 'stdout_logfile' | 'stderr_logfile';
  readonly item: null;
  readonly message: string;
  readonly hint: string;
}

export function sharedFiles(programs: readonly ProgramFiles[]): readonly SharedFile[] {
  return [...sharedPidFiles(programs), ...sharedLogFiles(programs)];
}

/** Pid files that two programs name: they would share one daemon, and when one program stops it, the other one starts it again. */
function sharedPidFiles(programs: readonly ProgramFiles[]): readonly SharedFile[] {
  const owners = new Map<string, string | null>();
  return programs.flatMap(({ name, kind }, program) => {
    if (kind.pidFile === null) return [];
    const { path } = kind.pidFile;
    const owner = owners.get(path);
    if (owner === undefined) {
      owners.set(path, name);
      return [];
    }
    return [
      {
        program,
        key: 'adopt_pid_file' as const,
        item: null,
        message: `${path} is the pid file of program ${owner ?? ''} already`,
        hint: 'name the file that the daemon of this program writes',
      },
    ];
  });
}

/** Log files that are rotated in two ways. Everything that writes to one path shares one file, so only one way is possible. */
function sharedLogFiles(programs: readonly ProgramFiles[]): readonly SharedFile[] {
  const files = new Map<string, { readonly owner: number; readonly settings: LogFileSettings }>();
  return programs.flatMap(({ name, output }, program) =>
    (['stdout', 'stderr'] as const).flatMap((stream) => {
      const destination = output?.[stream];
      if (destination?.to !== 'file') return [];
      const path = name === null ? destination.path : logfilePath(destination.path, { name, slot: null });
      const first = files.get(path);
      if (first === undefined) files.set(path, { owner: program, settings: destination.settings });
      if (first === undefined || isSame(first.settings, destination.settings)) return [];
      const owner = first.owner === program ? 'stdout' : `program ${programs[first.owner]?.name ?? ''}`;
      return [
        {
          program,
          key: `${stream}_logfile` as const,
          item: null,
          message: `shares ${path} with ${owner}, which rotates it in another way`,
          hint: 'give it a file of its own, or the same …_maxbytes, …_backups, logfile_compress, logfile_daily, logfile_overflow',
        },
      ];
    }),
  );
}
