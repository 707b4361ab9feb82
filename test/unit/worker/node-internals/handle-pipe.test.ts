// What a pipe makes of what libuv says, with a fake of libuv's pipe.
import { constants } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConnectionHandle } from '../../../../src/worker/node-internals/connection-handle.ts';
import { openHandlePipe, type HandlePipe } from '../../../../src/worker/node-internals/handle-pipe.ts';

interface Write {
  readonly text: string;
  readonly oncomplete: (status: number) => void;
}

const opened: FakePipe[] = [];

class FakePipe {
  onread: (chunk?: ArrayBuffer) => void = () => undefined;
  readonly written: Write[] = [];
  reads = 0;

  constructor() {
    opened.push(this);
  }
  open(): number {
    return 0;
  }
  readStart(): number {
    this.reads += 1;
    return 0;
  }
  unref(): void {}
  close(): void {}
  writeUtf8String({ oncomplete }: Write, text: string): number {
    this.written.push({ text, oncomplete });
    return 0;
  }
}

vi.mock('../../../../src/worker/node-internals/channel-handle.ts', () => ({
  channelParts: () => ({ Pipe: FakePipe, WriteRequest: Object }),
}));

let raw: FakePipe;
let pipe: HandlePipe;
let heard: string[];

beforeEach(() => {
  heard = [];
  const events = { line: (text: string) => heard.push(text), ended: () => heard.push('ended') };
  const handlePipe = openHandlePipe({ fd: 3 }, events);
  const fake = opened.pop();
  if (handlePipe === null || fake === undefined) throw new Error('not opened');
  pipe = handlePipe;
  raw = fake;
});

function connection(): { readonly handle: ConnectionHandle; readonly closes: () => number } {
  let closes = 0;
  const close = (): void => {
    closes += 1;
  };
  // As it is in Node.js: what ends a handle is its class's.
  const handle = Object.create({ close }) as ConnectionHandle;
  return { handle, closes: () => closes };
}

function say(text: string): void {
  raw.onread(new TextEncoder().encode(text).buffer);
}

describe('the end that libuv reports', () => {
  it('is looked at again when something has come before it', () => {
    say('one\n');
    raw.onread();
    expect(heard).toEqual(['one']);
    say('two\n');
    raw.onread();
    raw.onread();
    expect(heard).toEqual(['one', 'two', 'ended']);
    expect(raw.reads).toBe(3);
  });

  it('is the end at once when nothing has come', () => {
    raw.onread();
    expect(heard).toEqual(['ended']);
    expect(pipe.send('line')).toBe(false);
  });
});

describe('a handle', () => {
  it('that is closed while its line waits is closed when that was written', () => {
    const { handle, closes } = connection();
    pipe.send('line', handle);
    handle.close();
    expect(closes()).toBe(0);
    raw.written[0]?.oncomplete(0);
    expect(closes()).toBe(1);
  });

  it('is closed as ever when its line was written', () => {
    const { handle, closes } = connection();
    pipe.send('line', handle);
    raw.written[0]?.oncomplete(0);
    handle.close();
    expect(closes()).toBe(1);
  });

  it('that could not be sent when its turn came is reported, and does not hold up those behind it', () => {
    const { handle } = connection();
    pipe.send('line', handle, () => heard.push('unsent'));
    raw.written[0]?.oncomplete(-109);
    expect(heard).toEqual(['unsent']);
    expect(raw.written.map(({ text }) => text)).toEqual(['line\n', '\n']);
  });

  it('that could not be sent because the other end goes waits until that has ended', () => {
    const { handle } = connection();
    pipe.send('line', handle, () => heard.push('unsent'));
    raw.written[0]?.oncomplete(-constants.errno.EPIPE);
    expect(heard).toEqual([]);
    raw.onread();
    expect(heard).toEqual(['ended']);
  });

  it('that was on its way when the other end went is not reported twice', () => {
    const { handle } = connection();
    pipe.send('line', handle, () => heard.push('unsent'));
    raw.onread();
    raw.written[0]?.oncomplete(-125);
    expect(heard).toEqual(['ended']);
  });
});
