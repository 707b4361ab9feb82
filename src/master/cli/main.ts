/** The command `graceful-run`: from words to a running master, and from its end to an exit code. */
import { renderError } from '../../shared/render-error.ts';
import { version } from '../../shared/version.ts';
import { createLog } from '../log.ts';
import { createMaster } from '../master.ts';
import { createCollector } from './collect-garbage.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { parseCommandLine, type Invocation } from './parse.ts';
import { obeySignals } from './signals.ts';

/** Never rejects; leaves by process.exit() with one of the exit codes. */
export async function main(argv: readonly string[]): Promise<void> {
  // A log that cannot be written must not take the master down.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    const invocation = parseCommandLine(argv);
    process.exit(await obey(invocation));
  } catch (error) {
    const code = exitCodeOf(error);
    // Stopped as asked before it served: nothing has gone wrong.
    if (code !== exitCodes.stopped) process.stderr.write(`${renderError(error, 'graceful-run')}\n`);
    process.exit(code);
  }
}

async function obey(invocation: Invocation): Promise<number> {
  switch (invocation.kind) {
    case 'help': {
      const { helpText } = await import('./help.ts');
      process.stdout.write(`${await helpText(process.stdout.columns || 100)}\n`);
      return exitCodes.stopped;
    }
    case 'version':
      process.stdout.write(`${version}\n`);
      return exitCodes.stopped;
    case 'run':
      return run(invocation);
  }
}

async function run({ options, logLevel, logFormat }: Extract<Invocation, { kind: 'run' }>): Promise<number> {
  const master = createMaster(options, { spelling: 'commandLine' });
  const log = await createLog({
    level: logLevel,
    format: logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json'),
  });
  master.subscribe(log.write);
  master.subscribe(createCollector());
  obeySignals(master);
  await master.start();
  await master.ended;
  return exitCodes.stopped;
}
