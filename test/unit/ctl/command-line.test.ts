import { expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/ctl/command-line.ts';
import { GracefulRunError } from '../../../src/shared/errors.ts';

async function refusal(...argv: readonly string[]): Promise<GracefulRunError> {
  const error: unknown = await parseCommandLine(argv).then(
    () => null,
    (cause: unknown) => cause,
  );
  if (error instanceof GracefulRunError) return error;
  throw new Error('not refused');
}

test.each([
  ['list', [], { kind: 'list', json: false }],
  ['ls', [], { kind: 'list', json: false }],
  ['status --watch', [], { kind: 'status', json: false, isWatching: true }],
  ['top shop', ['shop'], { kind: 'top', json: false }],
  ['ps --json', [], { kind: 'list', json: true }],
  ['status shop web-*', ['shop', 'web-*'], { kind: 'status', json: false, isWatching: false }],
  ['start shop', ['shop'], { kind: 'start', wait: null, json: false }],
  ['start --wait shop db', ['shop', 'db'], { kind: 'start', wait: 'serving', json: false }],
  ['reload 10086 --wait=drained', ['10086'], { kind: 'reload', wait: 'drained', json: false }],
  ['restart --name shop', ['shop'], { kind: 'restart', wait: null, json: false }],
  ['restart shop --name shop', ['shop'], { kind: 'restart', wait: null, json: false }],
  ['stop a:b --wait', ['a:b'], { kind: 'stop', wait: true, json: false }],
  ['scale 4', [], { kind: 'scale', workers: 4, json: false }],
  ['scale 10086 4', ['10086'], { kind: 'scale', workers: 4, json: false }],
  ['scale shop api 12', ['shop', 'api'], { kind: 'scale', workers: 12, json: false }],
  ['update', [], { kind: 'update', dryRun: false, json: false }],
  ['update platform --dry-run', ['platform'], { kind: 'update', dryRun: true, json: false }],
  ['upgrade', [], { kind: 'upgrade', json: false }],
  ['upgrade platform web-* --json', ['platform', 'web-*'], { kind: 'upgrade', json: true }],
  ['events --json', [], { kind: 'events', json: true }],
  ['logs', [], { kind: 'logs', follow: false, lines: 20, sinceMs: null, stderr: false, json: false }],
  [
    'tail -f shop',
    ['shop'],
    { kind: 'logs', follow: true, lines: 20, sinceMs: null, stderr: false, json: false },
  ],
  [
    'logs -n 100 --stderr shop',
    ['shop'],
    { kind: 'logs', follow: false, lines: 100, sinceMs: null, stderr: true, json: false },
  ],
  [
    'logs --since 10m shop',
    ['shop'],
    { kind: 'logs', follow: false, lines: null, sinceMs: 600_000, stderr: false, json: false },
  ],
  [
    'logs --lines=all',
    [],
    { kind: 'logs', follow: false, lines: null, sinceMs: null, stderr: false, json: false },
  ],
  ['shutdown --wait platform', ['platform'], { kind: 'shutdown', wait: true, json: false }],
  // Programs that are called like commands.
  ['reload status --wait', ['status'], { kind: 'reload', wait: 'serving', json: false }],
  ['reload --wait --name list', ['list'], { kind: 'reload', wait: 'serving', json: false }],
  ['--name status stop --wait', ['status'], { kind: 'stop', wait: true, json: false }],
  [
    'logs -n 5 list',
    ['list'],
    { kind: 'logs', follow: false, lines: 5, sinceMs: null, stderr: false, json: false },
  ],
])('%s', async (line, words, command) => {
  const request = await parseCommandLine(line.split(' '));
  expect(request?.wanted).toEqual({ words, all: false });
  expect(request?.command).toEqual(command);
});

test('--all stands in place of names', async () => {
  expect((await parseCommandLine(['reload', '--all']))?.wanted).toEqual({ words: [], all: true });
  expect((await refusal('reload', 'shop', '--all')).code).toBe('badOption');
});

test('a hint spells the command that was typed with another name', async () => {
  const request = await parseCommandLine(['scale', 'shpo', '4']);
  expect(request?.spell('shop')).toBe('gracefulctl scale shop 4');
});

test('a hint spells a dry run as a dry run, and an update as an update', async () => {
  const dry = await parseCommandLine(['update', '--dry-run']);
  expect(dry?.spell('blue')).toBe('gracefulctl update blue --dry-run');
  expect((await parseCommandLine(['update']))?.spell('blue')).toBe('gracefulctl update blue');
});

test('a hint can repeat the command as it was typed', async () => {
  const request = await parseCommandLine(['update', '--all', '--dry-run']);
  expect(request?.typed).toBe('gracefulctl update --all --dry-run');
});

test.each([
  ['relaod', 'gracefulctl reload?'],
  ['relaod shop', 'gracefulctl reload?'],
  ['reread', 'gracefulctl update --dry-run?'],
  ['log', 'gracefulctl logs?'],
  ['daemon-reexec', 'gracefulctl upgrade?'],
  ['upgrad', 'gracefulctl upgrade?'],
  [
    'constructor',
    'the commands are list, status, top, start, stop, reload, promote, rollback, restart, scale, update, upgrade, events, logs, shutdown',
  ],
])('%s is no command, and the hint says which was probably meant', async (line, hint) => {
  expect((await refusal(...line.split(' '))).hint).toContain(hint);
});

test.each([
  '',
  'status --wait',
  'logs --since yesterday',
  'logs -n many',
  'logs -x',
  'status --name',
  'status --dry-run',
  'reload --wait=ready',
  'stop --wait=drained',
  'scale',
  'scale many',
  'scale web 0',
  'scale web 1025',
  'reload web --name api',
])('a command line that makes no sense is refused: %s', async (line) => {
  expect((await refusal(...line.split(' ').filter((word) => word !== ''))).code).toBe('badOption');
});

test.each([
  ['reload --wat shop', 'reload has no option --wat', 'did you mean --wait?'],
  ['update --dryrun', 'update has no option --dryrun', 'did you mean --dry-run?'],
  ['ps --verbose', 'list has no option --verbose', 'see gracefulctl list --help'],
  ['shutdown --dry-run', 'shutdown has no option --dry-run', 'see gracefulctl shutdown --help'],
  ['upgrade --dry-run', 'upgrade has no option --dry-run', 'see gracefulctl upgrade --help'],
  ['--alll', 'gracefulctl has no option --alll', 'did you mean --all?'],
  ['list reload --wait', 'list has no option --wait', 'see gracefulctl list --help'],
  ['--name reload list --wait', 'list has no option --wait', 'see gracefulctl list --help'],
  ['scale shop', 'the number of workers is missing', 'gracefulctl scale shop 3'],
])('%s is refused with what to type instead', async (line, message, hint) => {
  const error = await refusal(...line.split(' '));
  expect(error.message).toContain(message);
  expect(error.hint).toBe(hint);
});
