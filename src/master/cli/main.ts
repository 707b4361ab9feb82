/** The command `graceful-run`: from words to a running master, and from its end to an exit code. */
import './own-stderr.ts';
import { renderError } from '../../shared/render-error.ts';
import { version } from '../../shared/version.ts';
import { createLog } from '../log/log.ts';
import { randomId } from '../random-id.ts';
import { compileOptions } from '../config/options.ts';
import { workingDirectory } from '../config/working-directory.ts';
import { createMaster } from '../master.ts';
import { standardError } from '../output/standard-error.ts';
import { loadOutputCalls } from '../system-calls/output-calls.ts';
import { shareOutput } from '../output/shared-output.ts';
import { createCollector, keepNewSpaceSmall } from './collect-garbage.ts';
import { consoleLook } from './log-style.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { parseCommandLine, type CheckRequest, type Invocation } from './parse-command-line.ts';
import { obeySignals } from './obey-signals.ts';
import { watchTerminal } from './controlling-terminal.ts';

/** Never rejects; leaves by process.exit() with one of the exit codes. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    const invocation = parseCommandLine(argv);
    process.exit(await obey(invocation));
  } catch (error) {
    const code = exitCodeOf(error);
    // Stopped as asked before it served: nothing has gone wrong.
    if (code !== exitCodes.stopped) standardError().write(`${renderError(error, 'graceful-run')}\n`);
    process.exit(code);
  }
}

async function obey(invocation: Invocation): Promise<number> {
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
    case 'run':
      return invocation.check === null ? run(invocation) : runCheck(invocation, invocation.check);
  }
}

/** `graceful-run --help | head -1` is no failure. Only here: process.stdout would change the flags of a pipe that workers inherit. */
function ignoreReader(): void {
  process.stdout.on('error', () => undefined);
}

async function runCheck(
  { options }: Extract<Invocation, { kind: 'run' }>,
  request: CheckRequest,
): Promise<number> {
  ignoreReader();
  // Loaded only here: a master does not need it.
  const { check } = await import('./check.ts');
  return check(request, async () => {
    const plan = compileOptions(options, workingDirectory(process.env), 'commandLine');
    return Promise.resolve({ plan, places: { master: {}, programs: {} } });
  });
}

async function run({ options, logLevel, logFormat }: Extract<Invocation, { kind: 'run' }>): Promise<number> {
  keepNewSpaceSmall();
  const terminal = await watchTerminal();
  const { format, hasColours } = consoleLook(logFormat, process.env);
  const id = randomId();
  const output = shareOutput({
    stream: standardError(),
    lines:
      format === 'json' ? { as: 'written', logId: id } : { as: 'marked', hasColours, namesPrograms: false },
    onDropped: (bytes) => {
      log.outputDropped(bytes);
    },
  });
  const master = createMaster(options, { spelling: 'commandLine', onStderr: output.passOn, logId: id });
  await loadOutputCalls();
  const log = await createLog({ level: logLevel, format, hasColours, id, stream: output.log });
  master.subscribe(log.write);
  master.subscribe(createCollector());
  obeySignals(master.commands, terminal);
  await master.start();
  await master.ended;
  return exitCodes.stopped;
}
