// Real pipes and sockets whose reader does not read, and whose descriptors wait, as a worker leaves them.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe as group, expect, onTestFinished, test } from 'vitest';
import { type Descriptor, openPatiently } from '../../../../src/master/output/nonblocking-descriptor.ts';
import { loadOutputCalls } from '../../../../src/master/system-calls/output-calls.ts';
import { listen } from '../../../../src/master/system-calls/socket-calls.ts';
import { socketpair } from '../../../../src/master/system-calls/unix-socket-calls.ts';

beforeAll(async () => {
  await loadOutputCalls();
  // Loads socketpair(2); there is no such descriptor.
  await listen(-1, 0);
});

function fifo(): { readonly reader: number; readonly writer: number } {
  const folder = mkdtempSync(join(tmpdir(), 'gr-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  onTestFinished(() => {
    closeSync(writer);
    closeSync(reader);
    rmSync(folder, { recursive: true });
  });
  return { reader, writer };
}

function sockets(): { readonly reader: number; readonly writer: number } {
  const pair = socketpair();
  if (typeof pair === 'string') throw new Error(pair);
  const [reader, writer] = pair;
  onTestFinished(() => {
    closeSync(writer);
    closeSync(reader);
  });
  return { reader, writer };
}

/** Numbered lines, so that nothing can be missing or stand twice. */
const text = Buffer.from(Array.from({ length: 100_000 }, (_, index) => `line ${index}\n`).join(''));

/** Writes until there is no room; returns how many bytes were taken. */
function fill(descriptor: Descriptor, from: number): number {
  let taken = from;
  while (taken < text.length) {
    const written = descriptor.write(text.subarray(taken, taken + 10_000));
    if (typeof written === 'string') {
      expect(written).toBe('EAGAIN');
      break;
    }
    taken += written;
  }
  return taken;
}

function read(fd: number, atMost: number): Buffer {
  const buffer = Buffer.alloc(atMost);
  return buffer.subarray(0, readSync(fd, buffer));
}

group.each([
  ['a pipe', fifo, openPatiently],
  ['a pipe that may not be opened again', fifo, (fd: number) => openPatiently(fd, () => null)],
  ['a socket', sockets, openPatiently],
])('%s that nobody reads', (_kind, open, patiently) => {
  test('takes what fits without waiting, and every byte once', () => {
    const { reader, writer } = open();
    const descriptor = patiently(writer);
    let taken = fill(descriptor, 0);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(text.length);
    const received: Buffer[] = [];
    for (let bytes = 0; bytes < 400_000;) {
      const piece = read(reader, 65_536);
      received.push(piece);
      bytes += piece.length;
      taken = fill(descriptor, taken);
    }
    const whole = Buffer.concat(received);
    expect(whole.equals(text.subarray(0, whole.length))).toBe(true);
  });

  test('is waited for no longer than was said', () => {
    const { writer } = open();
    const descriptor = patiently(writer);
    fill(descriptor, 0);
    const start = performance.now();
    descriptor.waitForRoom(50);
    expect(performance.now() - start).toBeGreaterThanOrEqual(45);
  });
});

test('a pipe whose reader has gone says so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gr-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  closeSync(reader);
  expect(openPatiently(writer).write(text)).toBe('EPIPE');
  expect(openPatiently(writer, () => null).write(text)).toBe('EPIPE');
  closeSync(writer);
});

test('a descriptor that is closed says so', () => {
  expect(openPatiently(987).write(text)).toBe('EBADF');
});
