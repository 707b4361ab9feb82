/** Where the lines of a program are found. Pure. */
import { logfilePath, type OutputPlan } from '../config/options/output-options.ts';
import type { KeptLines } from './kept-lines.ts';
import type { LogsSource } from './read-logs.ts';

export function logsSource(
  plan: OutputPlan,
  { name, workers }: { readonly name: string; readonly workers: number },
  kept: KeptLines,
): LogsSource {
  const files = new Map<string, LogsSource['files'][number]>();
  for (const stream of ['stdout', 'stderr'] as const) {
    const destination = plan[stream];
    if (destination.to !== 'file') continue;
    for (let slot = 0; slot < workers; slot += 1) {
      const path = logfilePath(destination.path, { name, slot });
      const other = files.get(path);
      files.set(path, { path, stream: other !== undefined && other.stream !== stream ? null : stream });
    }
  }
  return { program: name, kept, files: [...files.values()], format: plan.format, unseen: unseenIn(plan) };
}

/** The streams whose lines are not found anywhere, each with the reason. */
function unseenIn({ stdout, stderr }: OutputPlan): LogsSource['unseen'] {
  return [
    ...(stdout.to === 'inherit'
      ? [
          {
            stream: 'stdout' as const,
            why: 'stdout is not kept, because workers write it to the stdout of graceful-run themselves: set stdout_logfile (--stdout-logfile) to forward, or to a file',
          },
        ]
      : []),
    ...(stdout.to === 'none'
      ? [{ stream: 'stdout' as const, why: 'stdout is thrown away: stdout_logfile is none' }]
      : []),
    ...(stderr.to === 'none'
      ? [{ stream: 'stderr' as const, why: 'stderr is thrown away: stderr_logfile is none' }]
      : []),
  ];
}
