import { expect, test } from 'vitest';
import { createLog, type LogOptions } from '../../../../src/master/log/log.ts';
import { failureOf } from '../../../../src/shared/describe-failure.ts';
import type { MasterEvent, Failure, EventRecord } from '../../../../src/shared/events.ts';
import { exampleEvents } from '../../../helpers/example-events.ts';

/** The failure as the log shows it: the worker's last lines stand in the stream already. */
function shown(event: MasterEvent): { readonly failure?: object } {
  const failure = failureOf(event);
  if (failure === null) return {};
  const rest: Partial<Failure> = { ...failure };
  Reflect.deleteProperty(rest, 'stderrTail');
  return { failure: rest };
}

function observed(event: MasterEvent): EventRecord {
  return { ...event, program: 'web', time: 1_700_000_000_000 };
}

interface Collector {
  readonly lines: string[];
  writableLength: number;
  readonly emptied: (() => void)[];
  write(text: string | Uint8Array): void;
  whenEmpty(callback: () => void): void;
}

function collector(): Collector {
  const lines: string[] = [];
  const emptied: (() => void)[] = [];
  return {
    lines,
    emptied,
    writableLength: 0,
    write: (text) => lines.push(String(text)),
    whenEmpty: (callback) => emptied.push(callback),
  };
}

const defaults = { hasColours: false, id: 'an-id' };

async function written(
  options: Pick<LogOptions, 'level' | 'format'> & Partial<LogOptions>,
  events: readonly MasterEvent[],
): Promise<readonly string[]> {
  const stream = collector();
  const { write } = await createLog({ ...defaults, ...options, stream });
  for (const event of events) write(observed(event));
  return stream.lines;
}

test('a JSON line carries the event with its place and time, the pids of master and worker by their names', async () => {
  const lines = await written({ level: 'debug', format: 'json' }, exampleEvents);
  expect(lines.length).toBe(exampleEvents.length);
  for (const [index, event] of exampleEvents.entries()) {
    const { pid: worker, ...fields } = { pid: null, ...event, ...shown(event) };
    const line = JSON.parse(lines[index] ?? '') as object;
    // A collector that knows `pid` from events would take the one for the other.
    expect(line).not.toHaveProperty('pid');
    expect(line).toMatchObject({
      ...fields,
      program: 'web',
      time: 1_700_000_000_000,
      master: process.pid,
      logId: 'an-id',
      msg: expect.any(String) as unknown,
      level: expect.stringMatching(/^(debug|info|warn|error)$/) as unknown,
      ...('slot' in event && 'pid' in event ? { worker } : {}),
    });
  }
});

test('only what is at the level or above is written', async () => {
  const lines = await written({ level: 'error', format: 'json' }, exampleEvents);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.every((line) => line.includes('"level":"error"'))).toBe(true);
  expect(await written({ level: 'silent', format: 'json' }, exampleEvents)).toEqual([]);
});

test('pretty lines are text, with the reason and the hint of a failure, and those once', async () => {
  const failures = exampleEvents.filter(
    ({ event }) => event === 'workerFailed' || event === 'generationFailed',
  );
  const text = (await written({ level: 'info', format: 'pretty' }, failures)).join('');
  expect(text.endsWith('\n')).toBe(true);
  // Nothing stands between the level and the words: no pid, no key.
  expect(text).toMatch(/^\[[\d:.]+\] ERROR: web: /);
  expect(text).not.toContain('{');
  expect(text.split('Error: boom').length).toBe(2);
  expect(text.split('hint: ').length).toBe(2);
});

test('the last lines of a worker that has failed are not repeated: they stand in the same stream', async () => {
  const lines = await written({ level: 'info', format: 'json' }, exampleEvents);
  expect(lines.join('')).not.toContain('stderrTail');
});

test('with colours the level and the state are coloured, and the message is plain', async () => {
  const events = [
    { event: 'generationReady', generation: 2, durationMs: 210, release: null, probationMs: 0 },
  ] as const;
  const [line = ''] = await written({ level: 'info', format: 'pretty', hasColours: true }, events);
  const [green, plain, dim, bright] = ['\u001B[32m', '\u001B[39m', '\u001B[2m', '\u001B[22m'];
  expect(line.replaceAll('\u001B[0m', '').replace(/\[\d\d:[\d:.]+\]/, '[time]')).toBe(
    `${dim}[time]${bright} ${green}INFO${plain}: web: generation 2 ${green}serves${plain}, ready after 210ms\n`,
  );
});

test('a worker that is ready in the place of a failed one is told of at info, once', async () => {
  const pick = (name: MasterEvent['event']): readonly MasterEvent[] =>
    exampleEvents.filter((event) => event.event === name);
  const ready = pick('workerReady');
  const lines = await written({ level: 'info', format: 'json' }, [
    ...ready,
    ...pick('workerFailed'),
    ...ready,
    ...ready,
  ]);
  expect(lines.filter((line) => line.includes('"workerReady"')).length).toBe(1);
});

test('a stream that throws does not reach the master', async () => {
  for (const format of ['json', 'pretty'] as const) {
    const { write } = await createLog({
      ...defaults,
      level: 'debug',
      format,
      stream: {
        write: () => {
          throw new Error('EPIPE');
        },
      },
    });
    for (const event of exampleEvents) write(observed(event));
  }
});

test('while nobody reads, lines are dropped, and the log says how many as soon as somebody reads', async () => {
  const stream = collector();
  const { write, outputDropped } = await createLog({ ...defaults, level: 'debug', format: 'json', stream });
  const event = observed({ event: 'listenersClosed' });
  stream.writableLength = 2_000_000;
  write(event);
  write(event);
  stream.writableLength = 0;
  for (const callback of stream.emptied.splice(0)) callback();
  outputDropped(7);
  write(event);
  expect(stream.lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { event: 'logLinesDropped', lines: 2 },
    { event: 'workerOutputDropped', bytes: 7, logId: 'an-id', program: 'web' },
    { event: 'listenersClosed' },
  ]);
});
