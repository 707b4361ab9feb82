/** Formats `graceful-run --help` with yargs, which is loaded only for this. */
import { optionTable } from './option-table.ts';

export async function helpText(columns: number): Promise<string> {
  const { default: yargs } = await import('yargs');
  const builder = yargs([])
    .scriptName('graceful-run')
    .usage(
      'Usage: $0 --port <n> [options] -- <command> [arguments]\n   or: $0 -c graceful.toml [options]\n\nHolds the port, runs the command, and reloads it without a failed request.',
    )
    .wrap(Math.min(columns, 110))
    .help('help', 'show this help')
    .alias('h', 'help')
    .version('version', 'show the version', '')
    .example('$0 --port 10086 -- node app.js', 'run')
    .example('$0 --check --port 10086 -- node app.js', 'report what would go wrong, and start nothing')
    .example('kill -HUP <pid of graceful-run>', 'reload: a new worker starts, proves itself, and takes over')
    .example('gracefulctl reload --wait', 'reload, and exit 0 once the new worker serves')
    .epilogue(
      'Times: 500ms, 30s, 2m\n' +
        'Signals: HUP reload · TERM, INT, QUIT stop gracefully (twice: at once) · TTIN add a worker · TTOU remove one\n' +
        'Exit codes: 0 stopped on request · 1 could not start or gave up · 2 usage · 126 command not executable · 127 not found\n' +
        '  If the program ended and is not started again: its own code, or 128 + n if signal n ended it',
    );
  for (const { flag, short, value, description, default: preset } of optionTable) {
    // The value is written as a part of the key, because yargs has no other place for it.
    builder.option(value === null ? flag : `${flag} ${value}`, {
      ...(short === undefined ? {} : { alias: short }),
      describe: preset === null ? description : `${description} [default: ${preset}]`,
    });
  }
  return builder.getHelp();
}
