/** `graceful-run --check`: says what is wrong with a plan on this machine, and with `--run` whether its programs become ready. */
import { relative } from 'node:path';
import type { PlanProblem } from '../../shared/control-api.ts';
import { controlFolders } from '../../shared/control-path.ts';
import { describeProblemAndHint, withoutRepetitions } from '../../shared/describe-problem.ts';
import type { ListenerPlan, Plan } from '../config/plan.ts';
import { announcedSockets } from '../sockets/announced-sockets.ts';
import { openSockets } from '../sockets/descriptors.ts';
import { findInheritedSockets, type FoundSockets } from '../sockets/find-inherited-sockets.ts';
import type { PlacedPlan } from '../config/plan-places.ts';
import type { Platform } from '../process/platform.ts';
import { adoptOrphans } from '../system-calls/child-calls.ts';
import { startCandidate, type Candidate } from './candidate.ts';
import { checkAddresses } from './check-addresses.ts';
import { checkControl } from './check-control.ts';
import { checkProgram } from './check-programs.ts';
import { programNames, inFileOrder, toProblem, type Finding } from './finding.ts';
import {
  candidateLines,
  goodLine,
  notStartedLine,
  type CandidateResult,
  type CheckReport,
  type NotStarted,
} from './check-report.ts';
import { findRunningMasters, heldKey, type RunningMaster } from './running-masters.ts';
import { isNamedWhenBound, nameAfter } from '../config/plan-names.ts';

export interface CheckOptions {
  /** Whether to start a candidate of each program. */
  readonly isRun: boolean;
  readonly isJson: boolean;
  readonly environment: NodeJS.ProcessEnv;
  /** The working directory. */
  readonly here: string;
  readonly platform: Platform;
  /** Writes to stdout. */
  readonly write: (text: string) => void;
  /** Has `interrupt` called at a signal to stop. */
  readonly onInterrupt: (interrupt: () => void) => void;
}

/** Runs the check and writes its results. Resolves to whether nothing is wrong, or to null if it was interrupted. */
export async function runCheck({ plan, places }: PlacedPlan, options: CheckOptions): Promise<boolean | null> {
  const { isRun, isJson, here, write } = options;
  const { file } = plan.master;
  const inherited = findInheritedSockets(announcedSockets(options.environment, process.pid), openSockets());
  const findings = await checkPlan(plan, options.environment, inherited);
  const problems = inFileOrder(
    withoutRepetitions(findings.map((finding) => toProblem(finding, file, places))),
  );
  if (!isJson) for (const problem of problems) write(`${describeProblemAndHint(problem, here)}\n`);
  const ran = isRun
    ? await runCandidates(plan, findings, inherited, options, (lines) => {
        if (!isJson) write(lines.map((line) => `${line}\n`).join(''));
      })
    : { candidates: null, notStarted: null };
  if (ran === 'interrupted') return null;
  const { candidates, notStarted } = ran;
  const programs = programNames(plan);
  const ok = problems.length === 0 && (candidates ?? []).every(({ ready }) => ready);
  if (isJson) write(renderReport({ ok, file, programs, problems, candidates, notStarted }));
  else if (ok) write(`${goodLine(file === null ? 'command line' : relative(here, file), programs.length)}\n`);
  return ok;
}

/** Writes the problems of a file that could not be read as a plan. */
export function refusePlan(
  problems: readonly PlanProblem[],
  { isRun, isJson, here, write }: CheckOptions,
): void {
  const file = problems[0]?.file ?? null;
  const none = isRun ? [] : null;
  if (isJson)
    write(renderReport({ ok: false, file, programs: [], problems, candidates: none, notStarted: none }));
  else for (const problem of problems) write(`${describeProblemAndHint(problem, here)}\n`);
}

function renderReport(report: CheckReport): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** Everything that is wrong with the plan on this machine. Starts nothing, changes nothing. */
export async function checkPlan(
  plan: Plan,
  environment: NodeJS.ProcessEnv,
  inherited: Pick<FoundSockets, 'look'>,
): Promise<readonly Finding[]> {
  const uid = process.geteuid?.() ?? 0;
  const folders = controlFolders(environment, uid);
  const names = programNames(plan);
  const name = controlNameOf(plan);
  const masters = await findRunningMasters(folders, uid);
  const isOwn = (master: RunningMaster): boolean =>
    master.file === plan.master.file && (master.file !== null || master.name === name);
  const own = masters.filter(isOwn);
  const held = new Set(own.flatMap((master) => master.held));
  const isHeld = (listener: ListenerPlan): boolean =>
    listener.type === 'fd'
      ? own.length > 0
      : held.has(heldKey(listener.type, listener.type === 'unix' ? listener.path : listener.port));
  const found: Finding[] = [];
  for (const [index, program] of plan.programs.entries()) {
    const label = names[index] ?? '';
    found.push(...(await checkProgram(program, label, environment)));
    found.push(...(await checkAddresses(program, label, isHeld, inherited)));
  }
  const { metrics, remembers } = plan.master;
  // All programs share one file for missed runs, so one program with `if_missed = "run"` is enough.
  const madeUp = plan.programs.findIndex(({ schedule }) => schedule?.ifMissed === 'run');
  if (metrics !== null || remembers || madeUp !== -1) {
    const { checkMetrics, checkRemembered, checkSeenRuns } = await import('./check-master.ts');
    const ownPids = own.map(({ pid }) => pid);
    if (metrics !== null) found.push(...(await checkMetrics(metrics, ownPids)));
    const remembered = remembers ? checkRemembered(name, environment) : null;
    if (remembered !== null) found.push(remembered);
    const seen = madeUp === -1 ? null : checkSeenRuns(names[madeUp] ?? '', name, environment);
    if (seen !== null) found.push(seen);
  }
  const control = plan.master.hasControl ? await checkControl({ name, folders, uid, masters, isOwn }) : null;
  return control === null ? found : [...found, control];
}

/** The name of the control socket; null if it will be the port that the kernel chooses. */
function controlNameOf({ master, programs }: Plan): string | null {
  const [first] = programs;
  const listener = first?.listeners[0];
  return master.name ?? first?.name ?? (isNamedWhenBound(listener) ? null : nameAfter(listener));
}

interface Ran {
  readonly candidates: readonly CandidateResult[];
  readonly notStarted: readonly NotStarted[];
}

/** Runs the candidates of the programs one after the other, except those of programs with a problem. */
async function runCandidates(
  plan: Plan,
  findings: readonly Finding[],
  inherited: Pick<FoundSockets, 'look'>,
  { environment, platform, onInterrupt }: CheckOptions,
  tell: (lines: readonly string[]) => void,
): Promise<Ran | 'interrupted'> {
  const names = programNames(plan);
  const candidates: CandidateResult[] = [];
  const notStarted: NotStarted[] = [];
  const now: { candidate: Candidate | null; isInterrupted: boolean } = {
    candidate: null,
    isInterrupted: false,
  };
  onInterrupt(() => {
    now.isInterrupted = true;
    now.candidate?.interrupt();
  });
  await adoptOrphans();
  for (const [index, program] of plan.programs.entries()) {
    const name = names[index] ?? '';
    if (findings.some((finding) => finding.program === name)) continue;
    const { type } = program.kind;
    if (type !== 'server') {
      notStarted.push({ program: name, type });
      tell([notStartedLine({ program: name, type })]);
      continue;
    }
    now.candidate = startCandidate(program, name, environment, platform, inherited);
    const result = await now.candidate.outcome;
    now.candidate = null;
    if (now.isInterrupted || result === null) return 'interrupted';
    candidates.push(result);
    tell(candidateLines(result));
  }
  return { candidates, notStarted };
}
