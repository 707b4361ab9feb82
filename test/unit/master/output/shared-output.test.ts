import { describe as group, expect, test } from 'vitest';
import {
  type SharedOutput,
  shareOutput,
  type WorkerLines,
} from '../../../../src/master/output/shared-output.ts';

class SlowStream {
  readonly written: string[] = [];
  writableLength = 0;
  readonly emptied: (() => void)[] = [];
  readonly whenEmpty = (callback: () => void): void => {
    this.emptied.push(callback);
  };
  write(text: string | Uint8Array): void {
    this.written.push(typeof text === 'string' ? text : Buffer.from(text).toString('latin1'));
  }
  get text(): string {
    return this.written.join('');
  }
}

const written: WorkerLines = { as: 'written', logId: 'abcdefgh' };
const marked: WorkerLines = { as: 'marked', hasColours: false };

function shared(lines: WorkerLines): {
  stream: SlowStream;
  output: SharedOutput;
  dropped: number[];
  passOn: (text: string, pid?: number, hasPrefix?: boolean) => void;
} {
  const stream = new SlowStream();
  const dropped: number[] = [];
  const output = shareOutput({ stream, lines, onDropped: (bytes) => dropped.push(bytes) });
  return {
    stream,
    output,
    dropped,
    passOn: (text, pid = 7, hasPrefix = true) => {
      output.passOn(Buffer.from(text, 'latin1'), pid, 'shop', hasPrefix);
    },
  };
}

group('as it was written', () => {
  test('every byte is passed on, also when the line is ended later', () => {
    const { stream, passOn } = shared(written);
    passOn('caf\u00E9 \u001B[31m');
    passOn('red\r\n\0\n');
    expect(stream.text).toBe('caf\u00E9 \u001B[31mred\r\n\0\n');
  });

  test('the beginning of a line is ended before somebody else writes', () => {
    const { stream, output, passOn } = shared(written);
    passOn('one');
    output.log.write('{"level":"info"}\n');
    passOn(' more\n');
    passOn('two', 7);
    passOn('three\n', 8);
    expect(stream.text).toBe('one\n{"level":"info"}\n more\ntwo\nthree\n');
  });

  test("a line that has the log's id in it, which only the master's have, loses it", () => {
    const { stream, passOn } = shared(written);
    passOn('{"level":"info","logId":"abcdefgh","msg":"forged \u00E9"}\n');
    expect(stream.text).toBe('{"level":"info","logId":"--------","msg":"forged \u00E9"}\n');
  });
});

test('not even with letters that are written as numbers', () => {
  const { stream, passOn } = shared(written);
  passOn('{"logId":"\\u0061\\u0062cdefg\\u0068","msg":"forged"}\n');
  expect(JSON.stringify(JSON.parse(stream.text))).not.toContain('abcdefgh');
  const other = '{"logId":"\\u0061x"}\n';
  passOn(other);
  expect(stream.text.endsWith(other)).toBe(true);
});

group('for people', () => {
  test('each line of a worker stands behind its program and pid, also where a carriage return would hide that', () => {
    const { stream, passOn } = shared(marked);
    passOn('one\r\n\ntwo\r[12:00:00.000] INFO: web: stopped\n');
    passOn('half');
    passOn(' a line\n');
    expect(stream.text).toBe(
      'shop[7] | one\nshop[7] | \nshop[7] | two\nshop[7] | [12:00:00.000] INFO: web: stopped\nshop[7] | half a line\n',
    );
  });

  test.each([
    '\u001B[2J\u001B[1;1Hup',
    'up\u001B[1A',
    '\u001B]0;title\u0007up',
    '\u001BPq\u001B\\up',
    '\u001Bcup',
    'up\b\b\u007F\u0007\v\f',
    '\u001B[8mup\u001B[0m',
    'u\u00C2\u009B2Jp'.replace('2J', ''),
    'up\u001B[',
    'up\u001B',
  ])('nothing moves the cursor or clears: %j', (text) => {
    const { stream, passOn } = shared(marked);
    passOn(`${text}\n`);
    expect(stream.text).toBe('shop[7] | up\n');
  });

  test('with colours those of the worker stay and end with the line, and an error is red', () => {
    const { stream, passOn } = shared({ as: 'marked', hasColours: true });
    passOn('\u001B[35mpurple\nTypeError: no\nplain\u001B[2J\n');
    expect(stream.text).toBe(
      [
        '\u001B[2mshop[7] |\u001B[22m \u001B[35mpurple\u001B[0m',
        '\u001B[2mshop[7] |\u001B[22m \u001B[31mTypeError: no\u001B[39m',
        '\u001B[2mshop[7] |\u001B[22m plain\n',
      ].join('\n'),
    );
  });

  test('without a prefix a line is passed on as it was written, and still does not mix with others', () => {
    const { stream, output, passOn } = shared({ as: 'marked', hasColours: true });
    passOn('caf\u00E9 \u001B[2J\u001B[31mTypeError\r\n\0', 7, false);
    passOn('one\n', 8);
    passOn('half', 7, false);
    output.log.write('of the master\n');
    expect(stream.text).toBe(
      'caf\u00E9 \u001B[2J\u001B[31mTypeError\r\n\0\n\u001B[2mshop[8] |\u001B[22m one\nhalf\nof the master\n',
    );
  });

  test('UTF-8 stays what it is', () => {
    const { stream, output } = shared(marked);
    output.passOn(Buffer.from('größe … 漢字 à\n'), 7, 'shop', true);
    expect(Buffer.from(stream.text, 'latin1').toString()).toBe('shop[7] | größe … 漢字 à\n');
  });
});

test('what would pile up behind a reader that has stopped is dropped, and that is said as soon as it reads again', () => {
  const { stream, dropped, passOn } = shared(written);
  stream.writableLength = 2 ** 20 + 1;
  passOn('lost\n');
  passOn('lost\n');
  expect(stream.written).toEqual([]);
  stream.writableLength = 0;
  for (const callback of stream.emptied.splice(0)) callback();
  expect(dropped).toEqual([10]);
  passOn('kept\n');
  expect(dropped).toEqual([10]);
  expect(stream.text).toBe('kept\n');
});

test('the log learns what it has lost, and what another stream of the workers has lost', () => {
  const stream = Object.assign(new SlowStream(), { takeLostBytes: () => 2 });
  const output = shareOutput({
    stream,
    lines: written,
    onDropped: () => undefined,
    takeOtherLostBytes: () => 5,
  });
  expect(output.log.takeLostBytes?.()).toBe(7);
});
