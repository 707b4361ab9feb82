import { expect, test } from 'vitest';
import { passOnOutput } from '../../../src/master/worker-output.ts';

class SlowStream {
  readonly written: string[] = [];
  writableLength = 0;
  write(text: string): void {
    this.written.push(text);
  }
}

test('text is passed on as it is', () => {
  const stream = new SlowStream();
  const passOn = passOnOutput(stream);
  passOn('one\n');
  passOn('two\n');
  expect(stream.written).toEqual(['one\n', 'two\n']);
});

test('what would pile up behind a reader that has stopped is dropped, and that is said once it reads again', () => {
  const stream = new SlowStream();
  const passOn = passOnOutput(stream);
  stream.writableLength = 2 ** 20 + 1;
  passOn('lost\n');
  passOn('lost\n');
  expect(stream.written).toEqual([]);
  stream.writableLength = 0;
  passOn('kept\n');
  expect(stream.written).toEqual([expect.stringContaining('10'), 'kept\n']);
});
