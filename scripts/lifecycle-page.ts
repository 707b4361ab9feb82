/** Generates docs/lifecycle.md by running the lifecycle's own tables, so the diagrams show what the code does. */
import type { LifecycleInput } from '../src/master/program/lifecycle/inputs.ts';
import {
  idleProgram,
  type LifecycleSettings,
  type Program,
  type Worker as LifecycleWorker,
} from '../src/master/program/lifecycle/state.ts';
import { allAtOnce } from '../src/master/program/lifecycle/rollout.ts';
import { step } from '../src/master/program/lifecycle/step.ts';
import { isImpossible, stepWorker } from '../src/master/program/lifecycle/worker-table.ts';
import type { WorkerTableInput } from '../src/master/program/lifecycle/worker-step.ts';
import type { Failure, WorkerPhase } from '../src/shared/events.ts';
import { backoff } from '../test/helpers/lifecycle.ts';

const settings: LifecycleSettings = {
  readyTimeoutMs: 30_000,
  drainTimeoutMs: 30_000,
  killDelayMs: 2_000,
  stopSteps: null,
  debounceMs: 0,
  probationMs: 1_000,
  sameStopMs: 0,
  maxDrainingGenerations: 8,
  overlaps: true,
  replacementIntervalMs: 10_000,
  rollout: allAtOnce,
  backoff,
  restart: {
    autorestart: 'unexpected',
    exitCodes: [0],
    startRetries: 1,
    crashLoop: { deaths: 2, windowMs: 60_000 },
  },
};
const capabilities = { isGated: true, migrates: true, reports: true };
const failure: Failure = {
  reason: 'exited',
  message: '',
  hint: null,
  errorCode: null,
  outcome: null,
  stderrTail: [],
};
const end = {
  outcome: null,
  failure,
  served: null,
  migrated: null,
  drained: null,
  cut: null,
  cleanUpsCut: 0,
};

const phases: readonly WorkerPhase[] = ['starting', 'ready', 'draining', 'terminating', 'killing'];
const inputs: readonly WorkerTableInput[] = [
  { type: 'workerSpawned', at: 0, worker: 1, pid: 2, isGated: true },
  { type: 'workerSaidReady', at: 0, worker: 1, capabilities },
  { type: 'workerTakesConnections', at: 0, worker: 1 },
  { type: 'workerSaidItDrains', at: 0, worker: 1 },
  { type: 'workerEnded', at: 0, worker: 1, end },
  { type: 'workerNotReady', at: 0, worker: 1, failure, mayAccept: false },
  { type: 'drainTimedOut', at: 0, worker: 1 },
  { type: 'killTimedOut', at: 0, worker: 1 },
  { type: 'drain', at: 0, reason: 'reload' },
  { type: 'kill', at: 0, reason: 'stop' },
];

export function lifecyclePage(): string {
  return `# Lifecycle

Generated from the source code (\`npm run generate\` in the repository).

The states of a worker and of a program, and the inputs that change them. An input is something that the master learns (a process exited, a timer
fired, a reload was requested). The terms are explained in [ARCHITECTURE.md](../ARCHITECTURE.md#terms).

## One worker

${workerDiagram()}

${workerTable()}

Each cell says what an input (row) does to a worker in a state (column):

- \`→\`: it changes to the named state.
- \`·\`: it keeps its state. The input is, for example, a stale timer or a repeated message.
- \`✗\`: this cannot happen. The property tests run hundreds of thousands of random inputs, and fail if one reaches such a cell.

The diagram and the table show a gated worker, without these changes: \`workerLostProgram\` (\`ready\` → \`starting\`), \`workerRestartedItself\`
(\`starting\` → \`ready\`; \`draining\` and \`terminating\` → \`killing\`), \`admissionFailed\` (\`ready\` → \`killing\`), \`pause\` (\`starting\` → \`killing\`),
\`drainTimedOut\` of a worker that is hung, or is stopped with only one signal before SIGKILL (\`stopsignal\`, \`stopwaitsecs\`) (\`draining\` → \`killing\`), and
\`drain\` at a stop with \`stopsignal = "KILL"\` (\`ready\` → \`killing\`). A worker that is not gated goes from
\`starting\` to \`draining\` at \`drain\`, and at \`workerNotReady\` if it may have accepted connections ([ADR 21](adr/0021-what-a-worker-can-do.md)).

## One program

The diagram shows how the state of a program with one gated worker changes in sequences of up to ${depth} of the most common inputs. (The
[status](supervision.md#states) shows \`probation\` as \`serving\`. While a generation is current, but none of its workers accepts connections, it shows \`restarting\`.) It leaves
out, for example, the state \`exited\` (workers that end by themselves and are not started again), \`startRefused\` (\`idle\`, \`stopped\` and \`exited\` →
\`failed\`) and \`workerCannotPause\` (\`probation\` → \`serving\`).

${programDiagram()}
`;
}

function workerDiagram(): string {
  const lines = new Map<string, string[]>();
  for (const phase of phases) {
    for (const input of inputs) {
      const to = phaseAfter(phase, input);
      if (to === phase) continue;
      const edge = `    ${phase} --> ${to === 'exited' ? '[*]' : to}`;
      lines.set(edge, [...(lines.get(edge) ?? []), input.type]);
    }
  }
  return diagram([
    '    [*] --> starting',
    ...[...lines].map(([edge, types]) => `${edge}: ${types.join(', ')}`),
  ]);
}

function workerTable(): string {
  const head = ['', ...phases];
  const rows = inputs.map((input) => [
    input.type,
    ...phases.map((phase) => {
      if (isImpossible(phase, input.type)) return '✗';
      const to = phaseAfter(phase, input);
      return to === phase ? '·' : `→ ${to}`;
    }),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function phaseAfter(phase: WorkerPhase, input: WorkerTableInput): WorkerPhase | 'exited' {
  const worker: LifecycleWorker = {
    id: 1,
    generation: 1,
    slot: 0,
    pid: 2,
    phase,
    phaseSince: 0,
    startedAt: 0,
    capabilities,
    extendedTo: null,
    ending: endingIn(phase),
    readyAt: phase === 'starting' ? null : 0,
    admission: 'notAsked',
    takesConnections: false,
    isPaused: false,
    isHung: false,
  };
  return stepWorker(worker, input, settings).worker?.phase ?? 'exited';
}

/** The steps of a drain that are left in this phase. */
function endingIn(phase: WorkerPhase): LifecycleWorker['ending'] {
  const last = { signal: 'SIGTERM', waitMs: settings.killDelayMs } as const;
  if (phase === 'draining') return [{ signal: null, waitMs: settings.drainTimeoutMs }, last];
  return phase === 'terminating' ? [last] : [];
}

const depth = 7;

function programDiagram(): string {
  const edges = new Map<string, Set<string>>();
  let frontier: readonly Program[] = [idleProgram(settings, 1)];
  for (let round = 0; round < depth; round++) {
    const next = new Map<string, Program>();
    for (const program of frontier) {
      for (const input of inputsFor(program)) {
        const { state } = step(program, input);
        next.set(JSON.stringify(state), state);
        if (state.phase === program.phase) continue;
        const edge = `    ${program.phase} --> ${state.phase}`;
        edges.set(edge, (edges.get(edge) ?? new Set()).add(input.type));
      }
    }
    frontier = [...next.values()];
  }
  const lines = [...edges].map(([edge, types]) => `${edge}: ${[...types].sort().join(', ')}`).sort();
  return diagram(['    [*] --> idle', ...lines, '    stopped --> [*]']);
}

function inputsFor(program: Program): readonly LifecycleInput[] {
  const at = 1_000;
  return [
    { type: 'startRequested', at },
    { type: 'reloadRequested', at, cause: 'signal' },
    { type: 'stopRequested', at, cause: 'signal' },
    { type: 'debounceElapsed', at },
    { type: 'probationElapsed', at },
    { type: 'restartDue', at, generation: 1, slot: 0 },
    ...program.workers.flatMap(({ id: worker }): readonly LifecycleInput[] => [
      { type: 'workerSaidReady', at, worker, capabilities },
      { type: 'workerSaidItDrains', at, worker },
      { type: 'workerAdmitted', at, worker },
      { type: 'workerEnded', at, worker, end },
      { type: 'workerNotReady', at, worker, failure, mayAccept: false },
    ]),
  ];
}

function diagram(lines: readonly string[]): string {
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}
