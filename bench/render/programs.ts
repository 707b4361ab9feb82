/** Renders the comparison of many programs under one tool. Pure. */
import type { ProgramsResults, ProgramsTurn } from '../programs/results.ts';
import { median } from '../statistics.ts';
import { failures, megabytes, spread, table, tenths, whole, type Row } from './table.ts';
import { addCounts, roundsOf } from './totals.ts';

/** Renders the sections; measurements without figures are left out. `larger`: with more workers. */
export function programsSections(
  results: ProgramsResults | undefined,
  larger: ProgramsResults | undefined,
): readonly string[] {
  return [
    ...(results === undefined ? [] : sections(results)),
    ...(larger === undefined || larger.outcomes.length === 0 ? [] : [largerSection(larger)]),
  ];
}

function rowsOf(
  { outcomes }: ProgramsResults,
  write: (turns: readonly ProgramsTurn[]) => readonly Row[],
): readonly Row[] {
  return outcomes.flatMap((outcome): readonly Row[] => {
    const { tool } = outcome;
    if ('missing' in outcome) return [[tool, `not measured: ${outcome.missing.split('\n')[0] ?? ''}`]];
    if (outcome.turns.length === 0) return [[tool, 'not measured']];
    return write(outcome.turns).map((cells, at) => [at === 0 ? tool : '', ...cells]);
  });
}

/** The columns of operateRow(). */
const operating = [
  'status (ms)',
  'reload of all: new (s)',
  'old gone (s)',
  'requests',
  'failed',
  'stop (s)',
  'left behind',
];

function largerSection(results: ProgramsResults): string {
  const { programs, workers, idleMs } = results;
  return [
    `### With ${workers} workers each`,
    '',
    `${programs} programs as above, but with ${workers} workers each: ${whole(programs * workers)} workers. The columns are those of "Start, memory and wake-ups" and "Operating ${programs} programs".`,
    '',
    ...table(
      ['', 'start (s)', 'memory (MB)', `wake-ups in ${idleMs / 1_000} s`, ...operating],
      rowsOf(results, (turns) => {
        const [, start = '', memory = '', , , wakeUps = ''] = sizeRow(turns, programs);
        return [[start, memory, wakeUps, ...operateRow(turns)]];
      }),
    ),
  ].join('\n');
}

function sections(results: ProgramsResults): readonly string[] {
  const { programs, workers, tools, idleMs, outcomes } = results;
  const rows = (write: (turns: readonly ProgramsTurn[]) => readonly Row[]): readonly Row[] =>
    rowsOf(results, write);
  const sizes = sizesOf(results);
  const largest = sizes.at(-1) ?? programs;
  return [
    [
      '## Many programs',
      '',
      `${programs} programs under one tool, each a tiny HTTP server with ${workers} workers. Every tool reads its own config file, and is operated by its`,
      `own command; times include that command. Rounds: ${roundsOf(outcomes)}.`,
      '',
      ...tools.map(({ name, version, setup }) => `- **${name}** ${version ?? '(not installed)'}: ${setup}`),
    ].join('\n'),
    [
      '### Start, memory and wake-ups',
      '',
      'Seconds from the start of the tool until every worker serves. Then the processes that are not workers are measured at rest. "For each further',
      `program" is the difference between ${sizes.join(', ').replace(/, (\d+)$/, ' and $1')} programs, divided by their difference in number. The next column`,
      `compares with ${whole(sizes[0] ?? 1)} in the same way. The first programs under graceful-run cost more: V8 compiles a function of the master when it has run often, and keeps the code.`,
      '',
      ...table(
        [
          '',
          'programs',
          'start (s)',
          'memory (MB)',
          'for each further program (kB)',
          `for each, from ${whole(sizes[0] ?? 1)} (kB)`,
          `wake-ups in ${idleMs / 1_000} s`,
        ],
        rows((turns) => sizes.map((size, at) => sizeRow(turns, size, sizes[at - 1], sizes[0]))),
      ),
    ].join('\n'),
    [
      `### Operating ${largest} programs`,
      '',
      '"Status" is the time in milliseconds of the command that shows all programs. "Reload of all" is the time in seconds from the start of the command until every',
      'program has responded with a new worker on each of its ports, and until the last old worker is gone. Meanwhile, each of 4 programs has 8 clients that never retry a request and send one every',
      '100 ms: 4 over keep-alive connections, and 4 with a new connection for each request. "Stop" is the time in seconds until the last process is gone.',
      "Left behind are processes, sockets and files; logs count as files. The one file that graceful-run leaves is the compiled code of its workers' boot, beside the control",
      'socket: the next start uses it.',
      '',
      ...table(
        ['', ...operating],
        rows((turns) => [operateRow(turns)]),
      ),
    ].join('\n'),
    [
      '### A change of one program',
      '',
      `One of the ${largest} programs gets another environment variable in the config file. Milliseconds from the start of the command until its new workers respond, and`,
      'how many workers of the other programs were replaced, too.',
      '',
      ...table(['', 'command', 'new workers respond (ms)', 'other workers replaced'], rows(changeRows)),
    ].join('\n'),
  ];
}

function sizesOf({ outcomes }: ProgramsResults): readonly number[] {
  const turns = outcomes.flatMap((outcome) => ('turns' in outcome ? outcome.turns : []));
  return (turns[0]?.sizes ?? []).map(({ programs }) => programs);
}

/** Renders one number of programs. `fewer` and `fewest`: the numbers of programs with which it is compared. */
function sizeRow(turns: readonly ProgramsTurn[], programs: number, fewer?: number, fewest?: number): Row {
  const at = (count: number): readonly ProgramsTurn['sizes'][number][] =>
    turns.flatMap(({ sizes }) => sizes.filter((size) => size.programs === count));
  const own = at(programs);
  const memory = (count: number): number => median(at(count).map(({ memoryBytes }) => memoryBytes));
  const growth = (from: number | undefined): string =>
    from === undefined ? '' : whole((memory(programs) - memory(from)) / (programs - from) / 1_024);
  return [
    whole(programs),
    spread(
      own.map(({ startMs }) => startMs / 1_000),
      tenths,
    ),
    spread(
      own.map(({ memoryBytes }) => memoryBytes),
      megabytes,
    ),
    growth(fewer),
    growth(fewer === undefined ? undefined : fewest),
    spread(
      own.map(({ wakeUps }) => wakeUps),
      whole,
    ),
  ];
}

function operateRow(turns: readonly ProgramsTurn[]): Row {
  const { requests, failed, kinds } = addCounts(turns.map(({ reload }) => reload));
  const seconds = (of: (turn: ProgramsTurn) => number): string =>
    spread(
      turns.map((turn) => of(turn) / 1_000),
      tenths,
    );
  return [
    spread(
      turns.map(({ statusMs }) => statusMs),
      whole,
    ),
    seconds(({ reload }) => reload.newMs),
    seconds(({ reload }) => reload.oldGoneMs),
    whole(requests),
    failures(failed, kinds),
    turns.some(({ stop }) => stop.ms === null)
      ? 'not all processes end'
      : seconds(({ stop }) => stop.ms ?? NaN),
    leftBehind(turns),
  ];
}

/** Renders the largest number of each kind in any round. */
function leftBehind(turns: readonly ProgramsTurn[]): string {
  const most = (kind: 'processes' | 'sockets' | 'files'): number =>
    Math.max(...turns.map(({ stop }) => stop[kind]));
  const kinds = (['processes', 'sockets', 'files'] as const).filter((kind) => most(kind) > 0);
  return kinds.length === 0 ? 'nothing' : kinds.map((kind) => `${kind}: ${whole(most(kind))}`).join(', ');
}

/** Renders one row for each command. */
function changeRows(turns: readonly ProgramsTurn[]): readonly Row[] {
  const commands = (turns[0]?.changes ?? []).map(({ command }) => command);
  return commands.map((command) => {
    const changes = turns.flatMap((turn) => turn.changes.filter((change) => change.command === command));
    return [
      `\`${command}\``,
      spread(
        changes.map(({ ms }) => ms),
        whole,
      ),
      spread(
        changes.map(({ others }) => others),
        whole,
      ),
    ];
  });
}
