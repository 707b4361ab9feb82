/** `graceful-run --help`, laid out by yargs, which is loaded for this alone. */
import { optionTable, type OptionRow } from './option-table.ts';

export async function helpText(columns: number): Promise<string> {
  const { default: yargs } = await import('yargs');
  const builder = yargs([])
    .scriptName('graceful-run')
    .usage(
      'Usage: $0 --port <n> [options] -- <command> [arguments]\n\nHolds the port, runs the command, reloads it without one failed request.',
    )
    .wrap(Math.min(columns, 110))
    .help('help', 'show this')
    .alias('h', 'help')
    .version('version', 'show the version', '')
    .example('$0 --port 10086 -- node app.js', 'run')
    .example('kill -HUP <pid of graceful-run>', 'reload: a new worker starts, proves itself, takes over')
    .example('gracefulctl reload --wait', 'reload, and exit 0 only when the new worker serves')
    .epilogue(
      'Signals: HUP reload · TERM, INT, QUIT stop gracefully, the second one at once · TTIN, TTOU one worker more, less\n' +
        'Exit codes: 0 stopped as asked · 1 could not start or gave up · 2 usage · 126, 127 command not executable, not found',
    );
  for (const row of optionTable) {
    builder.option(row.flag, {
      describe: row.default === null ? row.description : `${row.description} [default: ${row.default}]`,
      ...typeOf(row),
    });
  }
  return builder.getHelp();
}

function typeOf({ kind }: OptionRow): { type: 'string' | 'array' | 'boolean' } {
  return { type: kind === 'list' ? 'array' : kind === 'boolean' ? 'boolean' : 'string' };
}
