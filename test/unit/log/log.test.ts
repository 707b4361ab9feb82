import { expect, test } from 'vitest';
import { createLog, type LogOptions } from '../../../src/master/log.ts';
import type { Fact, Observation } from '../../../src/shared/facts.ts';
import { exampleFacts } from '../../helpers/facts.ts';

function observed(fact: Fact): Observation {
  return { ...fact, program: 'web', time: 1_700_000_000_000 };
}

function collector(): { readonly lines: string[]; writableLength: number; write(text: string): void } {
  const lines: string[] = [];
  return { lines, writableLength: 0, write: (text) => lines.push(text) };
}

async function written(
  options: Omit<LogOptions, 'stream'>,
  facts: readonly Fact[],
): Promise<readonly string[]> {
  const stream = collector();
  const { write } = await createLog({ ...options, stream });
  for (const fact of facts) write(observed(fact));
  return stream.lines;
}

test('a JSON line carries the fact with its place and time, the pids of master and worker by their names', async () => {
  const lines = await written({ level: 'debug', format: 'json' }, exampleFacts);
  expect(lines.length).toBe(exampleFacts.length);
  for (const [index, fact] of exampleFacts.entries()) {
    const { pid: worker, ...fields } = { pid: null, ...fact };
    const line = JSON.parse(lines[index] ?? '') as object;
    // A collector that knows `pid` from facts would take the one for the other.
    expect(line).not.toHaveProperty('pid');
    expect(line).toMatchObject({
      ...fields,
      program: 'web',
      time: 1_700_000_000_000,
      master: process.pid,
      msg: expect.any(String) as unknown,
      level: expect.stringMatching(/^(debug|info|warn|error)$/) as unknown,
      ...('slot' in fact && 'pid' in fact ? { worker } : {}),
    });
  }
});

test('only what is at the level or above is written', async () => {
  const lines = await written({ level: 'error', format: 'json' }, exampleFacts);
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.every((line) => line.includes('"level":"error"'))).toBe(true);
  expect(await written({ level: 'silent', format: 'json' }, exampleFacts)).toEqual([]);
});

test('pretty lines are text, with hint and last words below a failure, and those once', async () => {
  const failures = exampleFacts.filter(
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

test('a worker that is ready in the place of a failed one is told of at info, once', async () => {
  const pick = (event: Fact['event']): readonly Fact[] => exampleFacts.filter((fact) => fact.event === event);
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
      level: 'debug',
      format,
      stream: {
        write: () => {
          throw new Error('EPIPE');
        },
      },
    });
    for (const fact of exampleFacts) write(observed(fact));
  }
});

test('while nobody reads, lines are dropped, and the log says how many', async () => {
  const stream = collector();
  const { write } = await createLog({ level: 'debug', format: 'json', stream });
  const fact = observed({ event: 'listenersClosed' });
  stream.writableLength = 2_000_000;
  write(fact);
  write(fact);
  stream.writableLength = 0;
  write(fact);
  expect(stream.lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { event: 'logLinesDropped', lines: 2 },
    { event: 'listenersClosed' },
  ]);
});
