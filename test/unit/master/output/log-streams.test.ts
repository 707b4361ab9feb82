import { expect, test } from 'vitest';
import { plainOutput } from '../../../../src/master/config/options/output-options.ts';
import { createKeptLines, type KeptLines } from '../../../../src/master/output/kept-lines.ts';
import type { LogDaemon } from '../../../../src/master/output/log-daemon.ts';
import {
  createLogStreams,
  type LoggedDestination,
  type LogStreams,
} from '../../../../src/master/output/log-streams.ts';

interface Rig {
  readonly kept: KeptLines;
  readonly streams: LogStreams;
  /** What the daemon was set to, and what it got. */
  readonly overflows: string[];
  readonly got: string[];
}

function rig(): Rig {
  const [overflows, got]: [string[], string[]] = [[], []];
  const daemon: LogDaemon = {
    attach: () => undefined,
    detach: () => undefined,
    write: (lines) => got.push(lines.toString()),
    configure: ({ overflow }) => overflows.push(overflow),
    flushed: async () => Promise.resolve(),
    isBusy: () => false,
    abandon: () => undefined,
  };
  const kept = createKeptLines();
  const streams = createLogStreams({
    name: () => 'shop',
    kept,
    files: {
      at: () => {
        throw new Error('there is no file');
      },
      daemon: () => daemon,
    },
    format: plainOutput.format,
    onEvent: () => undefined,
  });
  return { kept, streams, overflows, got };
}

const place = { generation: 1, slot: 0 };

function syslog(overflow: 'block' | 'drop'): LoggedDestination {
  return { to: 'syslog', path: '/dev/log', facility: 3, overflow };
}

test('an overflow that was changed while no worker ran applies to the next one', () => {
  const { streams, overflows } = rig();
  streams.open(syslog('block'), 'stdout', place, () => 1).close();
  streams.open(syslog('drop'), 'stdout', place, () => 2);
  expect(overflows.at(-1)).toBe('drop');
});

test('the end of a line that a worker leaves open at its exit is no line of its own', () => {
  const { kept, streams, got } = rig();
  const stream = streams.open(syslog('block'), 'stdout', place, () => 1);
  stream.add(Buffer.from('one\npartial'));
  stream.end();
  expect(got).toEqual(['one\n', 'partial', '\n']);
  expect(kept.blocks().map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['one\n', 'partial']);
});
