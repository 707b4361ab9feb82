// What is shown of log files and of what is remembered: each line once, and only those that are asked for.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogLine } from '../../../../src/shared/control-api.ts';
import { createKeptLines } from '../../../../src/master/output/kept-lines.ts';
import { placeOf } from '../../../../src/master/output/log-place.ts';
import { type LogsRequest, type LogsSource, showLogs } from '../../../../src/master/output/read-logs.ts';
import { temporaryFolder } from '../../../helpers/run-master.ts';

const time = '2026-11-27T07:00:00.000Z';
const plain = { stripsAnsi: false, hasTimestamps: false, isJson: false };
const json = { ...plain, isJson: true };

interface Setup {
  readonly format?: LogsSource['format'];
  /** The lines of the file. */
  readonly file: readonly string[];
  /** The lines that are remembered, all of stdout. */
  readonly remembered?: readonly string[];
  readonly stream?: LogsSource['files'][number]['stream'];
}

function sourceOf({ format = plain, file, remembered = [], stream = 'stdout' }: Setup): LogsSource {
  const path = join(temporaryFolder(), 'app.log');
  writeFileSync(path, file.map((line) => `${line}\n`).join(''));
  const kept = createKeptLines();
  for (const line of remembered)
    kept.add({
      bytes: Buffer.from(`${line}\n`),
      stream: 'stdout',
      generation: 1,
      slot: 0,
      worker: 42,
      time: Date.parse(time),
      path: placeOf(path),
    });
  return { program: 'shop', kept, files: [{ path, stream }], format, unseen: [] };
}

async function shown(
  source: LogsSource,
  request: Partial<LogsRequest> = {},
): Promise<{ readonly lines: readonly string[]; readonly notices: readonly string[] }> {
  const lines: LogLine[] = [];
  const notices: string[] = [];
  const whole = { stream: null, lines: 20, since: null, follows: false, ...request };
  for await (const record of showLogs(source, whole, new AbortController().signal))
    if ('notice' in record) notices.push(record.notice);
    else lines.push(record);
  return { lines: lines.map(({ line }) => line), notices };
}

function object(line: string, more: object = {}): string {
  return JSON.stringify({ time, program: 'shop', generation: 1, slot: 0, worker: 42, ...more, line });
}

test.each([
  ['times', `${time} INFO up`],
  ['JSON', `{"time":"${time}","level":"info","line":"up"}`],
])('lines of a plain file stay as the application has written them, with its own %s', async (_what, line) => {
  const lines = [line, `${line} again`];
  expect((await shown(sourceOf({ file: lines, remembered: lines }))).lines).toEqual(lines);
  expect((await shown(sourceOf({ file: lines }))).lines).toEqual(lines);
});

test('times and JSON of the file itself are taken off', async () => {
  const timed = { ...plain, hasTimestamps: true };
  expect((await shown(sourceOf({ format: timed, file: [`${time} up`] }))).lines).toEqual(['up']);
  expect((await shown(sourceOf({ format: json, file: [object('up')] }))).lines).toEqual(['up']);
});

test('no line is there twice after the format of the file was changed', async () => {
  const file = [`${time} one`, object('two'), 'three'];
  for (const format of [plain, json, { ...plain, hasTimestamps: true }]) {
    const { lines } = await shown(sourceOf({ format, file, remembered: ['one', 'two', 'three'] }));
    expect(lines).toEqual(['one', 'two', 'three']);
  }
});

test('no line is there twice if the file lacks the first one that is remembered', async () => {
  const source = sourceOf({ file: ['older', 'two', 'three'], remembered: ['lost', 'two', 'three'] });
  expect((await shown(source)).lines).toEqual(['older', 'lost', 'two', 'three']);
});

test('a line of which only the end is remembered is not there twice', async () => {
  const long = `${'x'.repeat(200_000)} end`;
  const { lines } = await shown(sourceOf({ file: ['older', long], remembered: [long] }));
  expect(lines).toEqual(['older', long.slice(-128 * 1024 + 1)]);
});

test('of a file of several programs with JSON lines, only those of the program are shown', async () => {
  const file = [
    object('one'),
    object('of another', { program: 'mail' }),
    object('two'),
    object('of another', { program: 'mail' }),
    object('three'),
    object('of another', { program: 'mail' }),
  ];
  const source = sourceOf({ format: json, file, remembered: ['three'] });
  expect((await shown(source)).lines).toEqual(['one', 'two', 'three']);
  expect((await shown(source, { lines: 2 })).lines).toEqual(['two', 'three']);
  expect((await shown(source, { lines: null })).lines).toEqual(['one', 'two', 'three']);
});

test('the last lines of stderr are found in a file of both streams, however many of stdout are between them', async () => {
  const file = Array.from({ length: 5_000 }, (_, at) =>
    object(`number ${at}`, { stream: at % 1_000 === 0 ? 'stderr' : 'stdout' }),
  );
  const source = sourceOf({ format: json, file, stream: null });
  const { lines, notices } = await shown(source, { stream: 'stderr', lines: 3 });
  expect(lines).toEqual(['number 2000', 'number 3000', 'number 4000']);
  expect(notices).toEqual([]);
});

test('lines of a file of both streams that does not tell them apart are not shown as those of stderr', async () => {
  const source = sourceOf({ file: ['of stdout', 'of stderr'], stream: null });
  const { lines, notices } = await shown(source, { stream: 'stderr' });
  expect(lines).toEqual([]);
  expect(notices).toHaveLength(1);
  const known = sourceOf({ file: ['one'], remembered: ['one'], stream: null });
  expect((await shown(known, { stream: 'stderr' })).notices).toEqual([]);
});

test('what follows a program ends when that is removed, and has got all of its lines', async () => {
  const source = sourceOf({ file: [], remembered: ['one'] });
  const records = showLogs(
    source,
    { stream: null, lines: 20, since: null, follows: true },
    new AbortController().signal,
  );
  expect((await records.next()).value).toMatchObject({ line: 'one' });
  const next = records.next();
  const [block] = source.kept.blocks();
  if (block !== undefined) source.kept.add({ ...block, bytes: Buffer.from('two\n') });
  source.kept.end();
  expect((await next).value).toMatchObject({ line: 'two' });
  expect((await records.next()).done).toBe(true);
});
