/** The command `graceful-run`: from the words of its command line to a running master, and from its end to an exit code. */
import './own-stderr.ts';
import { resolve } from 'node:path';
import { longestTimerMs } from '../../shared/durations.ts';
import { completionScript, renderCompletion } from '../../shared/completion.ts';
import { renderError } from '../../shared/render-error.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { describeProblem, describeProblemAndHint } from '../../shared/describe-problem.ts';
import { version } from '../../shared/version.ts';
import { createLog } from '../log/log.ts';
import { randomId } from '../random-id.ts';
import { killDescendants } from '../process/descendants.ts';
import { requireInheritance } from '../process/inherited-child.ts';
import { expectEnds } from '../process/child-ends.ts';
import { reapOrphans } from '../process/reap-orphans.ts';
import { system } from '../process/system.ts';
import { findConfig } from '../config/find-config.ts';
import { compileOptions } from '../config/options.ts';
import { PlanInvalid } from '../config/plan-invalid.ts';
import { noPlaces, type PlacedPlan } from '../config/plan-places.ts';
import { readPlan } from '../config/read-plan.ts';
import { workingDirectory } from '../config/working-directory.ts';
import { createMasterOf } from '../master.ts';
import { checkFlag, resumeFlag } from '../handover/flags.ts';
import { descriptorsOf, type MasterRecord, planOf, workersOf } from '../handover/record.ts';
import { readSnapshot, type Snapshot } from '../handover/snapshot.ts';
import { announcedSockets } from '../sockets/announced-sockets.ts';
import { standardError, standardOutput } from '../output/standard-error.ts';
import { loadOutputCalls } from '../system-calls/output-calls.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { keepAllFromChildren } from '../system-calls/descriptor-calls.ts';
import { type SharedOutput, type SharedOutputParts, shareOutput } from '../output/shared-output.ts';
import { createCollector, keepMemorySmall } from './collect-garbage.ts';
import { type ConsoleLook, consoleLook } from './log-style.ts';
import { chooseExitCode, exitCodeOf, exitCodes } from './choose-exit-code.ts';
import { endProcess } from './end-process.ts';
import { parseCommandLine, type CheckRequest, type Invocation } from './parse-command-line.ts';
import { obeySignals } from './obey-signals.ts';
import { watchTerminal } from './controlling-terminal.ts';
import { defaults } from '../config/options/defaults.ts';

/**
 * Runs the command and ends the process with one of the exit codes. Never rejects. `takeSignals`: removes the listeners that note early
 * signals, and returns the signals that came before this process could answer them.
 */
export async function main(
  argv: readonly string[],
  takeSignals: () => readonly NodeJS.Signals[] = () => [],
): Promise<void> {
  try {
    const handover = handoverIn(argv);
    const words = handover === null ? argv : argv.slice(1);
    const before = { snapshot: handover === null ? null : readSnapshot(handover.fd), takeSignals };
    const invocation = parseCommandLine(words, () => findConfig(workingDirectory(process.env)));
    if (handover?.isCheck === true) {
      // The rest of what the master needs to take over is a native addon, which may not fit this Node.js.
      await loadSystemCalls();
      requireInheritance();
      endProcess(exitCodes.stopped);
      return;
    }
    endProcess(await obey(invocation, words, before));
  } catch (error) {
    const code = exitCodeOf(error);
    // The master was stopped on request before it served: that is not an error.
    if (code !== exitCodes.stopped) writeFatal(error);
    endProcess(code);
  }
}

/** Whether this process is a new image of a master, or only finds out whether it could be one, and the descriptor of the snapshot. */
function handoverIn([first = '']: readonly string[]): {
  readonly fd: number;
  readonly isCheck: boolean;
} | null {
  const flag = [resumeFlag, checkFlag].find((one) => first.startsWith(one));
  return flag === undefined ? null : { fd: Number(first.slice(flag.length)), isCheck: flag === checkFlag };
}

function writeFatal(error: unknown): void {
  standardError().write(`${renderFatal(error)}\n`);
}

/** The text for a fatal error: one line for each problem of a config file, or the error of the command line with its hint. */
function renderFatal(error: unknown): string {
  if (!(error instanceof PlanInvalid)) return renderError(error, 'graceful-run');
  const here = workingDirectory(process.env);
  return error.problems
    .map((problem) => {
      if (problem.file !== null) return describeProblemAndHint(problem, here);
      const { hint } = problem;
      const message = `cannot start: ${describeProblem(problem)}`;
      return renderError(
        new GracefulRunError('planInvalid', message, hint === null ? {} : { hint }),
        'graceful-run',
      );
    })
    .join('\n');
}

async function obey(invocation: Invocation, words: readonly string[], before: Before): Promise<number> {
  switch (invocation.kind) {
    case 'help': {
      ignoreReader();
      const { helpText } = await import('./help.ts');
      process.stdout.write(`${await helpText(process.stdout.columns || 100)}\n`);
      return exitCodes.stopped;
    }
    case 'version':
      ignoreReader();
      process.stdout.write(`${version}\n`);
      return exitCodes.stopped;
    case 'completion': {
      ignoreReader();
      process.stdout.write(completionScript(invocation.shell, 'graceful-run'));
      return exitCodes.stopped;
    }
    case 'complete': {
      ignoreReader();
      const { completeWords } = await import('./complete-graceful-run.ts');
      process.stdout.write(renderCompletion(completeWords(invocation.words), invocation.words.at(-1) ?? ''));
      return exitCodes.stopped;
    }
    case 'run':
    case 'runFile':
      return invocation.check === null
        ? run(invocation, words, before)
        : runCheck(invocation, invocation.check);
  }
}

/**
 * Ignores errors of stdout: `graceful-run --help | head -1` is not a failure. Only for output like that, because process.stdout changes the flags of a
 * pipe that workers inherit.
 */
function ignoreReader(): void {
  process.stdout.on('error', () => undefined);
}

type Run = Extract<Invocation, { kind: 'run' | 'runFile' }>;

/** Returns a function that reads the plan. Each call reads it again, because the file may have changed. */
function readerOf(run: Run): () => Promise<PlacedPlan> {
  const here = workingDirectory(process.env);
  if (run.kind === 'runFile')
    return async () => readPlan(resolve(here, run.file), { environment: process.env });
  return async () => {
    const plan = compileOptions(run.options, here, 'commandLine');
    return Promise.resolve({ plan, places: noPlaces });
  };
}

async function runCheck(invocation: Run, request: CheckRequest): Promise<number> {
  ignoreReader();
  // Loaded only for a check: a master does not need it.
  const { check } = await import('./check.ts');
  return check(request, readerOf(invocation));
}

/** What the previous image of this process has handed over; null if there was none. It is taken out once, because it is large. */
interface Before {
  snapshot: Snapshot | null;
  readonly takeSignals: () => readonly NodeJS.Signals[];
}

/** Runs a master. `words`: its command line. */
async function run(invocation: Run, words: readonly string[], before: Before): Promise<number> {
  keepMemorySmall();
  const isResumed = before.snapshot !== null;
  if (before.snapshot !== null) {
    await keepAllFromChildren(descriptorsOf(before.snapshot.master));
    expectEnds(workersOf(before.snapshot.master));
  }
  const terminal = await watchTerminal();
  const read = readerOf(invocation);
  const plan = before.snapshot === null ? (await read()).plan : planOf(before.snapshot.master);
  const isFromFile = invocation.kind === 'runFile';
  const lookOf = (fd: 1 | 2): ConsoleLook =>
    consoleLook(fd, invocation.logFormat ?? plan.master.logFormat, process.env);
  const id = before.snapshot?.master.logId ?? randomId();
  const { openLines = noOpenLines, foreignChildren = null } = before.snapshot ?? {};
  const shared = ({ format, hasColours }: ConsoleLook): Omit<SharedOutputParts, 'stream'> => ({
    lines: format === 'json' ? { as: 'written', logId: id } : { as: 'marked', hasColours },
    onDropped: (bytes) => {
      log.outputDropped(bytes);
    },
  });
  const look = lookOf(2);
  let stdout: SharedOutput | null = null;
  const output = shareOutput({
    ...shared(look),
    stream: standardError(),
    openLine: openLines.stderr,
    takeOtherLostBytes: () => stdout?.log.takeLostBytes?.() ?? 0,
  });
  const master = createMasterOf(plan, {
    // Those of an earlier image are in its snapshot.
    announced: isResumed ? [] : announcedSockets(process.env, process.pid),
    spelling: 'commandLine',
    readPlan: isFromFile ? read : null,
    onStderr: output.passOn,
    onStdout: (...written) => {
      stdout ??= shareOutput({
        ...shared(lookOf(1)),
        stream: standardOutput(),
        openLine: openLines.stdout,
      });
      stdout.passOn(...written);
    },
    logId: id,
    resumed: takeFrom(before),
    image: async () => {
      // Loaded only if it is needed.
      const { createNextImage } = await import('../handover/next-image.ts');
      return {
        next: createNextImage(words),
        snapshot: (record) => ({
          master: record,
          foreignChildren: others,
          openLines: { stderr: output.openLine(), stdout: stdout?.openLine() ?? null },
        }),
        flush: () => {
          const writers = [standardError(), ...(stdout === null ? [] : [standardOutput()])];
          for (const writer of writers) writer.flush(0);
          return writers.every(({ writableLength }) => writableLength === 0);
        },
      };
    },
  });
  await loadOutputCalls();
  const log = await createLog({
    level: invocation.logLevel ?? plan.master.logLevel ?? defaults.logLevel,
    ...look,
    id,
    stream: output.log,
  });
  master.subscribe(log.write);
  master.subscribe(createCollector());
  // A bug in one place, or a part of the package that was removed in the meantime, must not end all programs.
  process.on('unhandledRejection', (reason) => {
    master.noteBug(reason);
  });
  const listenToSignals = (): void => {
    obeySignals(master.commands, terminal);
    // A second request for the upgrade was answered by the upgrade.
    for (const signal of before.takeSignals()) if (signal !== 'SIGUSR2') process.emit(signal, signal);
  };
  // Before everything is taken over, nothing can be done with it.
  if (!isResumed) listenToSignals();
  // A program that was given up keeps nothing running, but can be started again: so this timer keeps the process alive.
  if (plan.programs.some(({ restart }) => restart.onFatal === 'stay'))
    setInterval(() => undefined, longestTimerMs);
  const children = await reapOrphans();
  const others = foreignChildren ?? children;
  try {
    await master.start();
    if (isResumed) listenToSignals();
    const failure = await master.ended;
    return chooseExitCode(master.exitCode(), failure);
  } catch (error) {
    const code = master.exitCode();
    if (code === null) throw error;
    writeFatal(error);
    return code;
  } finally {
    await killDescendants(system, others);
  }
}

const noOpenLines: Snapshot['openLines'] = { stdout: null, stderr: null };

function takeFrom(before: Before): MasterRecord | null {
  const master = before.snapshot?.master ?? null;
  before.snapshot = null;
  return master;
}
