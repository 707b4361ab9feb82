/** Generates docs/events.md from one example of every event: the levels, fields and sentences are those of the code. */
import { levelOf, type EventLevel } from '../src/master/log/log-levels.ts';
import { describe } from '../src/shared/describe-event.ts';
import type { MasterEvent } from '../src/shared/events.ts';
import { exampleEvents } from '../test/helpers/example-events.ts';

export function eventsPage(): string {
  return `# Events

Generated from the source code (\`npm run generate\` in the repository).

Everything that graceful-run reports is one of these events, apart from three about lost output that only the log has (see the end of this
page). Each event of the table appears in three places: as a line of the log, as a line of
\`gracefulctl events --json\` (\`GET /v1/events\`, see [control-api.md](control-api.md)), and as the argument of the listener of \`master.subscribe()\`.
Each has \`event\`, \`program\`, \`time\` (milliseconds since 1970) and the fields of its row; their types are in \`MasterEvent\` of
\`graceful-run/master\`. Names and fields are stable. The sentences are for people and may change.

| event | level | fields | example of its sentence |
| --- | --- | --- | --- |
${exampleEvents.map(row).join('\n')}

- \`pid\`, \`generation\` and \`slot\` identify a worker: its process (null if there is none yet), its generation, and its place in the
  generation: 0, 1 … In the log, \`pid\` is called \`worker\`, because every line also has the master's pid, \`master\`. So \`masterStarted\`
  has no \`pid\` there.
- \`from\` and \`to\` are states of the worker: \`starting\`, \`ready\`, \`draining\`, \`terminating\` (it got SIGTERM), \`killing\` (it
  got SIGKILL), \`exited\`. In \`workerStarted\`, \`from\` is null.
- \`durationMs\` is how long a worker was in \`from\`. For a generation, it is the time since its start; for \`generationSettled\` and
  \`generationRolledBack\`, the time since it began to serve.
- \`failure\` is an object:
  - \`reason\`: of a worker \`exited\`, \`notReady\`, \`notAdmitted\` or \`notStarted\`; of a generation that went back also \`tooManyErrors\`, \`unhealthy\`, \`hung\` (watchdog),
    \`superseded\` (another reload was requested) or \`requested\` (by an operator).
  - \`message\`, and \`hint\` or null: text for people.
  - \`errorCode\`: a code of [errors.md](errors.md), or null.
  - \`outcome\`: how the process ended, or null.
  - \`errorRate\`: only for \`tooManyErrors\`: \`requests\` and \`serverErrors\` of the new generation in \`overMs\`, and \`previous\`, those of the old one, or null.
  - \`stderrTail\`: at most 20 lines, the last that the worker wrote to stderr. If the line that names the error is older, it comes first.
- \`release\` is what a generation runs, with symlinks resolved when it was started: \`cwd\`; \`file\`, the program's own (null if there is none, as
  with \`node -e\`); \`changed\`, whether it differs from the generation that was serving (null if none was).
- \`outcome\` is how a process ended: \`{"code":1,"signal":null}\` or \`{"code":null,"signal":"SIGKILL"}\`.
- \`served\` (requests), \`migrated\`, \`drained\` (ended by themselves) and \`cut\` (connections) are null if the worker could not report them.
- \`cause\` is where a request came from: ${list('signal', 'control', 'watch', 'worker', 'embedder', 'schedule')}. For \`runStarted\` it is why the run begins: ${list('schedule', 'missed', 'request')}. For a replacement it is an object: \`reason\` (${list('maxMemory', 'maxLifetime', 'maxRequests', 'watchdog')}), \`figure\` and \`bound\`.
- \`isOneshot\` is another field of \`generationReady\`, \`workerNotReplaced\` and \`stopped\`: true for a program of the type \`oneshot\`, and missing for others. \`startWaits\`
  has \`oneshots\`, those of \`programs\` that are oneshots; missing if none is.
- If two levels are given, the second one applies in a special case: to \`workerExited\` and \`stopped\` if something went wrong (connections or
  clean-ups were cut, the worker crashed, the program gave up); to \`workerReady\` if the worker replaces a failed one; to
  \`workerDraining\` if a signal that the master did not send caused the drain; to \`workerNotReplaced\` because of a crash loop; to \`runEnded\` if the run failed or timed out; to
  \`hookEnded\` if the hook failed.
- The log differs in three ways. Every line has a \`logId\` ([whose line is it?](deployment.md#whose-line-is-it)). \`stderrTail\` is left out,
  because its lines are already above. Only the log has three events at \`warn\` which say that output is missing: \`logLinesDropped\` (with \`lines\`) and
  \`workerOutputDropped\` (with \`bytes\`) if the reader was too slow and more than 1 MiB (for \`logLinesDropped\`: 1.25 MiB) was waiting, and \`logBytesLost\` (with \`bytes\`) if the reader was
  gone or the disk was full.
`;
}

function row(event: MasterEvent): string {
  const fields = Object.keys(event).filter((name) => name !== 'event');
  const cells = [
    `\`${event.event}\``,
    levelsOf(event).join(', '),
    list(...fields),
    describe(event).replaceAll('|', '\\|'),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The levels at which an event may be logged, the usual one first. */
function levelsOf(event: MasterEvent): readonly EventLevel[] {
  const usual = event.event === 'runEnded' ? levelOf({ ...event, result: 'succeeded' }) : levelOf(event);
  const levels = new Set([usual, levelOf(event), levelOf(event, true)]);
  if (event.event === 'workerExited') levels.add(levelOf({ ...event, cut: 1 }));
  if (event.event === 'workerDraining') levels.add(levelOf({ ...event, reason: 'signal' }));
  if (event.event === 'workerNotReplaced') levels.add(levelOf({ ...event, why: 'crashLoop' }));
  if (event.event === 'hookEnded') levels.add(levelOf({ ...event, problem: 'exit code 1' }));
  if (event.event === 'stopped') levels.add(levelOf({ ...event, failure }));
  return [...levels];
}

const failure = exampleEvents.find((event) => event.event === 'workerFailed')?.failure ?? null;

function list(...names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
