import { describe as group, expect, test } from 'vitest';
import { type BoundedWriter, createBoundedWriter } from '../../../../src/master/output/bounded-writer.ts';

/** A descriptor with room for `room` bytes, and a clock and timers that only the test moves. */
class World {
  room = Infinity;
  error: string | null = null;
  nowMs = 0;
  readonly taken: string[] = [];
  readonly timers: { readonly delayMs: number; readonly callback: () => void }[] = [];
  /** What the reader does while somebody waits for room. */
  onWait: () => void = () => undefined;
  readonly writer: BoundedWriter = createBoundedWriter({
    descriptor: {
      write: (bytes) => {
        if (this.error !== null) return this.error;
        const piece = bytes.subarray(0, this.room);
        if (piece.length === 0) return 'EAGAIN';
        this.room -= piece.length;
        this.taken.push(Buffer.from(piece).toString());
        return piece.length;
      },
      waitForRoom: (timeoutMs) => {
        this.onWait();
        this.nowMs += timeoutMs;
      },
    },
    limitBytes: 10,
    arm: (delayMs, callback) => this.timers.push({ delayMs, callback }),
    nowMs: () => this.nowMs,
  });

  get text(): string {
    return this.taken.join('');
  }

  fire(): number {
    const timer = this.timers.shift();
    timer?.callback();
    return timer?.delayMs ?? -1;
  }
}

test('what fits is written at once, and no timer is armed', () => {
  const world = new World();
  expect(world.writer.write('one\n')).toBe(true);
  expect(world.text).toBe('one\n');
  expect(world.timers).toEqual([]);
});

group('when there is no room', () => {
  test('the rest waits, in order, and is written when there is room again', () => {
    const world = new World();
    world.room = 2;
    world.writer.write('one\n');
    world.writer.write('two\n');
    expect(world.text).toBe('on');
    expect(world.writer.writableLength).toBe(6);
    world.room = 3;
    world.fire();
    expect(world.text).toBe('one\nt');
    world.room = Infinity;
    world.fire();
    expect(world.text).toBe('one\ntwo\n');
    expect(world.timers).toEqual([]);
  });

  test('a text is refused when too much waits, but never a part of it', () => {
    const world = new World();
    world.room = 0;
    expect(world.writer.write('123456789')).toBe(true);
    expect(world.writer.write('abcdefghi')).toBe(true);
    expect(world.writer.write('refused')).toBe(false);
    world.room = Infinity;
    world.fire();
    expect(world.text).toBe('123456789abcdefghi');
  });

  test('it looks less and less often, and often again once something was read', () => {
    const world = new World();
    world.room = 0;
    world.writer.write('text');
    const delays = Array.from({ length: 12 }, () => world.fire());
    expect(delays.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(Math.max(...delays)).toBe(500);
    world.room = 1;
    world.fire();
    expect(world.timers[0]?.delayMs).toBe(1);
  });

  test('it tells once that nothing waits any more', () => {
    const world = new World();
    let told = 0;
    world.room = 0;
    world.writer.write('text');
    world.writer.whenEmpty(() => (told += 1));
    world.fire();
    expect(told).toBe(0);
    world.room = Infinity;
    world.fire();
    world.writer.write('more');
    expect(told).toBe(1);
  });
});

group('at the end of the process', () => {
  test('a slow reader gets everything', () => {
    const world = new World();
    world.room = 0;
    world.writer.write('123456789');
    world.onWait = () => {
      world.room += 2;
      world.nowMs -= 1_000;
    };
    world.writer.flush(1_000);
    expect(world.text).toBe('123456789');
  });

  test('a reader that has stopped holds it up no longer than the bound', () => {
    const world = new World();
    world.room = 0;
    world.writer.write('text');
    world.writer.flush(1_000);
    expect(world.nowMs).toBe(1_000);
  });
});

test('what an error has kept from being written is counted, and the next text is tried', () => {
  const world = new World();
  world.error = 'EPIPE';
  world.writer.write('lost');
  expect(world.writer.writableLength).toBe(0);
  world.error = null;
  world.writer.write('kept');
  expect(world.text).toBe('kept');
  expect([world.writer.takeLostBytes(), world.writer.takeLostBytes()]).toEqual([4, 0]);
});

group('after an error in the middle of a line', () => {
  test('the next text that is written begins a line', () => {
    const world = new World();
    world.room = 2;
    world.writer.write('one\n');
    world.error = 'ENOSPC';
    world.fire();
    world.writer.write('two\n');
    world.error = null;
    world.room = Infinity;
    world.writer.write('three\n');
    world.writer.write('four\n');
    expect(world.text).toBe('on\nthree\nfour\n');
    expect(world.writer.takeLostBytes()).toBe(6);
  });

  test('what was written up to the end of a line is not ended again', () => {
    const world = new World();
    world.room = 4;
    world.writer.write('one\ntwo\n');
    world.error = 'ENOSPC';
    world.fire();
    world.error = null;
    world.room = Infinity;
    world.writer.write('three\n');
    expect(world.text).toBe('one\nthree\n');
  });
});
