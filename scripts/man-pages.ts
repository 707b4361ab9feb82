/** The manual pages, from the tables of options, commands and keys, and from tables of the README and docs/config.md. */
import { readFileSync } from 'node:fs';
import {
  commandExamples,
  commandExits,
  type CommandOption,
  commandTable,
  commonOptions,
  completionCommand,
  namesOf,
} from '../src/ctl/command-table.ts';
import { optionTable } from '../src/master/cli/option-table.ts';
import { fileKeys, masterKeys, programKeys } from '../src/master/config/files/config-keys.ts';
import { groupKeys } from '../src/master/config/files/group-keys.ts';
import type { ConfigKey } from '../src/master/config/files/key-schemas.ts';
import { version } from '../src/shared/version.ts';
import { bold, example, inline, italic, item, manPage, paragraph, type Section, tableUnder } from './roff.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

export function manPages(): Readonly<Record<string, string>> {
  return {
    'man/graceful-run.1': gracefulRun(),
    'man/gracefulctl.1': gracefulctl(),
    'man/graceful.toml.5': gracefulToml(),
  };
}

function gracefulRun(): string {
  const readme = read('README.md');
  const options = optionTable.map(({ flag, short, value, description, default: preset }) => {
    const names = [...(short === undefined ? [] : [bold(`-${short}`)]), bold(`--${flag}`)].join(', ');
    const meaning = preset === null ? description : `${description} (default: ${preset})`;
    return item(value === null ? names : `${names} ${italic(value)}`, inline(`${capital(meaning)}.`));
  });
  return manPage(
    {
      name: 'graceful-run',
      section: 1,
      about: 'run a server that reloads without a failed request',
      version,
    },
    [
      {
        title: 'SYNOPSIS',
        parts: [
          `${bold('graceful-run')} ${bold('--port')} ${italic('n')} [${italic('options')}] ${bold('--')} ${italic('command')} [${italic('arguments')}]`,
          '.br',
          `${bold('graceful-run')} ${bold('-c')} ${italic('graceful.toml')} [${italic('options')}]`,
          '.br',
          `${bold('graceful-run completion')} ${bold('bash')}|${bold('zsh')}|${bold('fish')}`,
        ],
      },
      {
        title: 'DESCRIPTION',
        parts: [
          paragraph(
            'Binds the listening sockets, starts the command as a worker that inherits them, and stays in the foreground. On a reload it starts new workers on the same sockets, waits until they are ready, lets them accept connections, and only then tells the old workers to drain. If the new workers fail, the old ones keep serving.',
          ),
          paragraph(
            inline(
              'Everything after `--`, or from the first argument that is neither an option nor the value of one, belongs to the command. `--watch` and `--listen` take all arguments up to the next option as their values, so write `--` after them. Without a command and without `-c`, the file `graceful.toml` (or `.yaml`, `.json`, `.js`) of the current directory is read.',
            ),
          ),
          paragraph(inline('Durations are written `500ms`, `30s`, `2m`.')),
        ],
      },
      {
        title: 'OPTIONS',
        parts: [
          ...options,
          item(`${bold('-h')}, ${bold('--help')}`, 'Show the help.'),
          item(bold('--version'), 'Show the version.'),
        ],
      },
      { title: 'SIGNALS', parts: tableUnder(readme, '## Signals').map(rowItem) },
      { title: 'EXIT STATUS', parts: tableUnder(readme, '## Exit codes').map(rowItem) },
      {
        title: 'ENVIRONMENT',
        parts: [
          item(bold('XDG_RUNTIME_DIR'), inline('The control socket is in its directory `graceful-run`.')),
          item(
            bold('GRACEFUL_RUN_CONTROL_FOLDER'),
            'The directory of the control socket; nothing else is tried.',
          ),
          item(
            `${bold('LISTEN_FDS')}, ${bold('SERVER_STARTER_PORT')}`,
            'Sockets that the master inherits from systemd or Server::Starter.',
          ),
        ],
      },
      {
        title: 'EXAMPLES',
        parts: [
          'Run a program, and reload it without a failed request:',
          example('graceful-run --port 10086 -- node app.js\ngracefulctl reload --wait'),
          paragraph('Report what would go wrong, and start nothing:'),
          example('graceful-run --check --port 10086 -- node app.js'),
          paragraph('Complete command lines in bash:'),
          example('source <(graceful-run completion bash)'),
        ],
      },
      seeAlso('gracefulctl(1)', 'graceful.toml(5)'),
    ],
  );
}

function gracefulctl(): string {
  const commands = commandTable.map(({ name, aliases, description, names, takesCount, options }) => {
    const usage = `${bold(name)} [${italic(`${names}...`)}]${takesCount === true ? ` ${italic('n')}` : ''}`;
    const also = aliases.length === 0 ? '' : ` Also: ${aliases.map(bold).join(', ')}.`;
    const own = options.map(optionItem).join('\n');
    return `${item(usage, `${inline(description)}.${also}`)}${own === '' ? '' : `\n.RS\n${own}\n.RE`}`;
  });
  return manPage(
    {
      name: 'gracefulctl',
      section: 1,
      about: 'query and control the programs that graceful-run runs',
      version,
    },
    [
      {
        title: 'SYNOPSIS',
        parts: [`${bold('gracefulctl')} ${italic('command')} [${italic('names')}...] [${italic('options')}]`],
      },
      {
        title: 'DESCRIPTION',
        parts: [
          paragraph(
            'Finds the masters of the current user by their control sockets, and sends them commands. The commands are the same whether one master runs many programs or many masters run one program each.',
          ),
          item(italic('programs'), inline(`${namesOf.programs}.`)),
          item(italic('masters'), inline(`${namesOf.masters}.`)),
        ],
      },
      {
        title: 'COMMANDS',
        parts: [
          ...commands,
          item(
            `${bold('completion')} ${bold('bash')}|${bold('zsh')}|${bold('fish')}`,
            inline(`${completionCommand.description}.`),
          ),
        ],
      },
      {
        title: 'OPTIONS',
        parts: [
          ...commonOptions.map(optionItem),
          item(`${bold('-h')}, ${bold('--help')}`, 'Show the help.'),
          item(bold('--version'), 'Show the version.'),
        ],
      },
      {
        title: 'EXIT STATUS',
        parts: commandExits.map(([code, meaning]) =>
          item(bold(String(code)), inline(`${capital(meaning)}.`)),
        ),
      },
      {
        title: 'ENVIRONMENT',
        parts: [
          item(
            bold('XDG_RUNTIME_DIR'),
            inline('Control sockets are looked for in its directory `graceful-run`, among other places.'),
          ),
          item(
            bold('GRACEFUL_RUN_CONTROL_FOLDER'),
            'The only directory in which control sockets are looked for.',
          ),
          item(bold('COLUMNS'), 'How wide a table may be.'),
          item(`${bold('NO_COLOR')}, ${bold('FORCE_COLOR')}`, 'Turn colours off, or on.'),
        ],
      },
      {
        title: 'EXAMPLES',
        parts: commandExamples.flatMap(([words, meaning]) => [
          paragraph(inline(`${capital(meaning)}:`)),
          example(`gracefulctl ${words}`),
        ]),
      },
      seeAlso('graceful-run(1)', 'graceful.toml(5)'),
    ],
  );
}

function gracefulToml(): string {
  const page = read('docs/config.md');
  const first = /<!-- test: first -->\n```toml\n([^]*?)```/.exec(page)?.[1] ?? '';
  return manPage({ name: 'graceful.toml', section: 5, about: 'the config file of graceful-run', version }, [
    {
      title: 'DESCRIPTION',
      parts: [
        paragraph(
          inline(
            'Describes the programs that a master runs: `graceful-run -c graceful.toml`. The file may also be YAML, JSON, or a JavaScript module whose default export is an object with the same tables.',
          ),
        ),
        ...Object.entries(fileKeys).map(([key, description]) => item(bold(key), inline(description))),
      ],
    },
    { title: 'KEYS OF [program.NAME] AND [defaults]', parts: keyItems(programKeys) },
    { title: 'KEYS OF [group.NAME]', parts: keyItems(groupKeys) },
    { title: 'KEYS OF [master]', parts: keyItems(masterKeys) },
    { title: 'PLACEHOLDERS', parts: tableUnder(page, '## Placeholders').map(rowItem) },
    { title: 'EXAMPLES', parts: [example(first)] },
    seeAlso('graceful-run(1)', 'gracefulctl(1)'),
  ]);
}

function keyItems(keys: Readonly<Record<string, ConfigKey>>): readonly string[] {
  return Object.entries(keys).map(([key, { type, default: preset, description, supervisor }]) => {
    const known = supervisor === null || supervisor === key ? '' : ` In Supervisor: \`${supervisor}\`.`;
    return item(`${bold(key)} (${inline(type)})`, inline(`${description} Default: ${preset}.${known}`));
  });
}

function optionItem({
  flag,
  short,
  values,
  description,
  value,
}: CommandOption & { readonly value?: string }): string {
  const choice = values.length === 0 ? '' : `[=${values.map(italic).join('|')}]`;
  return item(
    `${short === undefined ? '' : `${bold(`-${short}`)}, `}${bold(`--${flag}`)}${choice}${value === undefined ? '' : ` ${italic(value)}`}`,
    inline(`${description}.`),
  );
}

function rowItem([term = '', meaning = '']: readonly string[]): string {
  return item(
    inline(term.includes('`') ? term : `**${term}**`),
    inline(/[.!?]$/.test(meaning) ? meaning : `${capital(meaning)}.`),
  );
}

function seeAlso(...pages: readonly string[]): Section {
  const links = pages.map((page) => {
    const [, name = '', section = ''] = /^(.*)\((\d)\)$/.exec(page) ?? [];
    return `.BR ${name.replaceAll('-', '\\-')} (${section})`;
  });
  return { title: 'SEE ALSO', parts: [links.join(' ,\n')] };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
