import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writev,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { LogFileSettings } from '../../../../src/master/config/options/output-options.ts';
import { createLogFile, type LogFileCalls, type LogSource } from '../../../../src/master/output/log-file.ts';
import type { MasterEvent } from '../../../../src/shared/events.ts';
import { temporaryFolder } from '../../../helpers/run-master.ts';

const plain: LogFileSettings = { maxBytes: 0, backups: 10, compress: false, daily: false, overflow: 'block' };

interface Opened {
  readonly path: string;
  readonly file: ReturnType<typeof createLogFile>;
  readonly source: LogSource;
  readonly events: MasterEvent[];
  /** Whether the source was held, each time that this changed. */
  readonly holds: boolean[];
  readonly write: (text: string) => void;
}

function opened(
  settings: Partial<LogFileSettings> = {},
  calls: Partial<LogFileCalls> = {},
  at?: string,
): Opened {
  const path = at ?? join(temporaryFolder(), 'app.log');
  const file = createLogFile(path, {
    writev: async (fd, pieces) => (await promisify(writev)(fd, [...pieces])).bytesWritten,
    nowMs: () => Date.now(),
    ...calls,
  });
  const events: MasterEvent[] = [];
  const holds: boolean[] = [];
  const source: LogSource = { hold: (isHeld) => holds.push(isHeld) };
  file.attach(source, { ...plain, ...settings }, (event) => events.push(event));
  return {
    path,
    file,
    source,
    events,
    holds,
    write: (text) => {
      file.write(source, Buffer.from(text));
    },
  };
}

/** What the file and its backups hold, the oldest first. */
function everything(path: string): string {
  const number = (name: string): number => Number(/\.(\d+)(\.gz)?$/.exec(name)?.[1] ?? 0);
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
  return names
    .toSorted((one, other) => number(other) - number(one))
    .map((name) => {
      const bytes = readFileSync(join(dirname(path), name));
      return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    })
    .join('');
}

const manyLines = Array.from({ length: 2_000 }, (_, at) => `line ${at} ${'x'.repeat(at % 70)}\n`);

test('no line is lost or torn when the file is rotated by its size', async () => {
  const { path, file, write } = opened({ maxBytes: 4_096, backups: 1_000 });
  for (let at = 0; at < manyLines.length; at += 7) write(manyLines.slice(at, at + 7).join(''));
  await file.flushed();
  expect(everything(path)).toBe(manyLines.join(''));
  for (const name of readdirSync(dirname(path))) {
    const text = readFileSync(join(dirname(path), name), 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    expect(text.length).toBeLessThanOrEqual(4_096);
  }
});

test('no more backups are kept than wanted, also after their number was reduced', async () => {
  const { path, file, write } = opened({ maxBytes: 10, backups: 5 });
  for (let at = 0; at < 9; at += 1) write(`number ${at}\n`);
  await file.flushed();
  expect(readdirSync(dirname(path)).toSorted()).toEqual([
    'app.log',
    'app.log.1',
    'app.log.2',
    'app.log.3',
    'app.log.4',
    'app.log.5',
  ]);
  file.configure({ ...plain, maxBytes: 10, backups: 2 });
  write('number 9\n');
  await file.flushed();
  expect(readdirSync(dirname(path)).toSorted()).toEqual(['app.log', 'app.log.1', 'app.log.2']);
  expect(everything(path)).toBe('number 7\nnumber 8\nnumber 9\n');
});

test('without backups a full file is begun anew', async () => {
  const { path, file, write } = opened({ maxBytes: 10, backups: 0 });
  write('number 1\nnumber 2\n');
  await file.flushed();
  expect(readdirSync(dirname(path))).toEqual(['app.log']);
  expect(readFileSync(path, 'utf8')).toBe('number 2\n');
});

test('a line that is longer than the limit has a file of its own', async () => {
  const { path, file, write } = opened({ maxBytes: 10 });
  write(`short\n${'x'.repeat(50)}\nshort\n`);
  await file.flushed();
  expect(['.2', '.1', ''].map((ending) => readFileSync(path + ending, 'utf8').length)).toEqual([6, 51, 6]);
});

test('a line that does not end does not fill the disk', async () => {
  const { path, file, write } = opened({ maxBytes: 100 });
  for (let at = 0; at < 10; at += 1) {
    write('x'.repeat(60));
    await file.flushed();
  }
  write('\nshort\n');
  await file.flushed();
  expect(everything(path)).toBe(`${'x'.repeat(600)}\nshort\n`);
  const sizes = readdirSync(dirname(path)).map((name) => statSync(join(dirname(path), name)).size);
  expect(sizes).toHaveLength(4);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(240);
});

test('backups are compressed, and none is lost when the next rotation comes at once', async () => {
  const { path, file, write } = opened({ maxBytes: 4_096, backups: 1_000, compress: true });
  write(manyLines.join(''));
  await file.flushed();
  const names = readdirSync(dirname(path));
  expect(names.filter((name) => name !== 'app.log').every((name) => name.endsWith('.gz'))).toBe(true);
  expect(everything(path)).toBe(manyLines.join(''));
});

test('the file is rotated with the first line of another day', async () => {
  let now = new Date(2026, 10, 26, 23, 59, 59).getTime();
  const { path, file, write } = opened({ daily: true }, { nowMs: () => now });
  write('today\n');
  await file.flushed();
  now += 2_000;
  write('tomorrow\n');
  await file.flushed();
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('today\n');
  expect(readFileSync(path, 'utf8')).toBe('tomorrow\n');
});

test('a file whose last line is of another day is rotated when the master is started', async () => {
  const path = join(temporaryFolder(), 'app.log');
  writeFileSync(path, 'old\n');
  const yesterday = new Date(Date.now() - 86_400_000);
  utimesSync(path, yesterday, yesterday);
  const { file, write } = opened({ daily: true }, {}, path);
  write('new\n');
  await file.flushed();
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('old\n');
  expect(readFileSync(path, 'utf8')).toBe('new\n');
});

test('a new file has the permissions of the one before', async () => {
  const { path, file, write } = opened({ maxBytes: 10 });
  chmodSync(path, 0o600);
  write('number 1\nnumber 2\n');
  await file.flushed();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('what a symlink refers to is rotated, and the symlink stays', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real', 'app.log'), join(folder, 'app.log'));
  const { file, write } = opened({ maxBytes: 10 }, {}, join(folder, 'app.log'));
  write('number 1\nnumber 2\n');
  await file.flushed();
  expect(readdirSync(join(folder, 'real')).toSorted()).toEqual(['app.log', 'app.log.1']);
});

test('a file that another program has moved is opened again when asked, and no line is lost', async () => {
  const { path, file, write } = opened();
  write('before\n');
  await file.flushed();
  renameSync(path, `${path}.old`);
  write('still the old one\n');
  const reopened = file.reopen();
  write('after\n');
  expect(await reopened).toBe(null);
  await file.flushed();
  expect(readFileSync(`${path}.old`, 'utf8')).toBe('before\nstill the old one\n');
  expect(readFileSync(path, 'utf8')).toBe('after\n');
});

test('if the path cannot be opened again, the open file is used on', async () => {
  const { path, file, write } = opened();
  renameSync(path, `${path}.old`);
  mkdirSync(path);
  expect(await file.reopen()).toContain('cannot open the log file');
  write('goes on\n');
  await file.flushed();
  expect(readFileSync(`${path}.old`, 'utf8')).toBe('goes on\n');
});

test('a file that another program has truncated is not rotated before it is full', async () => {
  const { path, file, write } = opened({ maxBytes: 100 });
  write(`${'x'.repeat(90)}\n`);
  await file.flushed();
  truncateSync(path);
  write('number 1\nnumber 2\n');
  await file.flushed();
  expect(existsSync(`${path}.1`)).toBe(false);
  expect(readFileSync(path, 'utf8')).toBe('number 1\nnumber 2\n');
});

test('if the file cannot be rotated, it grows on, which is told once', async () => {
  const { path, file, write, events } = opened({ maxBytes: 10, backups: 1 });
  mkdirSync(`${path}.1`);
  writeFileSync(join(`${path}.1`, 'in-the-way'), '');
  for (let at = 0; at < 5; at += 1) write(`number ${at}\n`);
  await file.flushed();
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(6);
  expect(events.map(({ event }) => event)).toEqual(['logRotationFailed']);
});

/** Writes what `room` says, then fails like a disk. */
function failing(code: string, room: { bytes: number }): LogFileCalls['writev'] {
  return async (fd, pieces) => {
    if (room.bytes <= 0) throw Object.assign(new Error(code), { code });
    const bytes = Buffer.concat(pieces).subarray(0, room.bytes);
    room.bytes -= bytes.length;
    return (await promisify(writev)(fd, [bytes])).bytesWritten;
  };
}

test.each([
  ['ENOSPC', 'the disk is full (ENOSPC)'],
  ['EIO', 'the disk failed (EIO)'],
])('on %s lines are counted, not torn, and told once; then the file goes on', async (code, problem) => {
  const room = { bytes: 12 };
  let now = Date.now();
  const { path, file, write, events, holds } = opened({}, { writev: failing(code, room), nowMs: () => now });
  write('number 1\nnumber 2\n');
  await file.flushed();
  for (let at = 3; at < 6; at += 1) {
    write(`number ${at}\n`);
    await file.flushed();
  }
  expect(events).toEqual([{ event: 'outputLost', path, reason: 'cannotWrite', problem }]);
  // What is being counted is not handed over to another image of the master.
  expect(file.isBusy()).toBe(true);
  room.bytes = Infinity;
  now += 1_000;
  write('number 6\n');
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toBe('number 1\nnumber 6\n');
  expect(events.slice(1)).toEqual([{ event: 'outputResumed', path, lines: 4, bytes: 36 }]);
  expect(file.isBusy()).toBe(false);
  expect(holds).not.toContain(true);
});

test('a disk on which only short lines fit is one that cannot be written, until much was written in a row', async () => {
  const room = { bytes: 0 };
  const { file, write, events } = opened({}, { writev: failing('ENOSPC', room), nowMs: () => 0 });
  for (let at = 0; at < 10; at += 1) {
    room.bytes = 10;
    write('short\n');
    await file.flushed();
    room.bytes = 10;
    write('longer than what fits\n');
    await file.flushed();
  }
  room.bytes = Infinity;
  write(`${'x'.repeat(70_000)}\n`);
  await file.flushed();
  expect(events).toMatchObject([{ event: 'outputLost' }, { event: 'outputResumed', lines: 10 }]);
});

test('a file that another program has just moved is not rotated: the next line begins a new one', async () => {
  const { path, file, write, events } = opened({ maxBytes: 10 });
  write('number 1\n');
  await file.flushed();
  renameSync(path, `${path}.old`);
  write('number 2\n');
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toBe('number 2\n');
  expect(existsSync(`${path}.1`)).toBe(false);
  expect(events).toEqual([]);
});

/** A disk that writes when it is told to. */
function slowDisk(): { readonly writev: LogFileCalls['writev']; readonly go: () => void } {
  let go = (): void => undefined;
  const allowed = new Promise<void>((resolve) => {
    go = resolve;
  });
  return {
    writev: async (fd, pieces) => {
      await allowed;
      return (await promisify(writev)(fd, [...pieces])).bytesWritten;
    },
    go: () => {
      go();
    },
  };
}

const block = `${'x'.repeat(65_535)}\n`;

test('workers are held while more than 1 MiB waits for a slow disk, and nothing is lost', async () => {
  const { writev: call, go } = slowDisk();
  const { path, file, write, holds, events } = opened({}, { writev: call });
  for (let at = 0; at < 20; at += 1) write(block);
  expect(holds).toEqual([true]);
  go();
  await file.flushed();
  expect(holds).toEqual([true, false]);
  expect(statSync(path).size).toBe(20 * 65_536);
  expect(events).toEqual([]);
});

test('with overflow drop no worker is held: lines are dropped and counted, and those that are written are whole', async () => {
  const { writev: call, go } = slowDisk();
  const { path, file, write, holds, events } = opened({ overflow: 'drop' }, { writev: call });
  for (let at = 0; at < 40; at += 1) write(block);
  go();
  await file.flushed();
  expect(holds).toEqual([]);
  const written = statSync(path).size / 65_536;
  expect(Number.isInteger(written)).toBe(true);
  expect(events).toEqual([
    { event: 'outputLost', path, reason: 'tooFast', problem: null },
    { event: 'outputResumed', path, lines: 40 - written, bytes: (40 - written) * 65_536 },
  ]);
});

test('a line that one worker has not ended is not continued by another', async () => {
  const { path, file, write } = opened();
  const other: LogSource = { hold: () => undefined };
  file.attach(other, plain, () => undefined);
  write('beginning');
  file.write(other, Buffer.from('other\n'));
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toBe('beginning\nother\n');
});

test('a device is refused, and so is a path that cannot be opened', () => {
  expect(() => opened({}, {}, '/dev/full')).toThrow('it is not a regular file');
  expect(() => opened({}, {}, join(temporaryFolder(), 'missing', 'app.log'))).toThrow('ENOENT');
});

test('a file that another user has put in the place of one that was moved is used as it is', async () => {
  const { path, file, write } = opened({ maxBytes: 10 });
  write('number 1\n');
  await file.flushed();
  renameSync(path, `${path}.moved`);
  writeFileSync(path, '', { mode: 0o640 });
  write('number 2\n');
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toBe('number 2\n');
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(existsSync(`${path}.1`)).toBe(false);
});

test('what is no file is refused at a rotation as well: the open one is used on, and no descriptor is lost', async () => {
  const { path, file, write, events } = opened({ maxBytes: 10 }, { nowMs: () => (now += 60_000) });
  write('number 1\n');
  await file.flushed();
  renameSync(path, `${path}.moved`);
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const before = readdirSync('/proc/self/fd').length;
  for (const number of [2, 3, 4]) {
    write(`number ${number}\n`);
    await file.flushed();
  }
  expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  closeSync(reader);
  expect(readFileSync(`${path}.moved`, 'utf8')).toBe('number 1\nnumber 2\nnumber 3\nnumber 4\n');
  expect(events).toMatchObject([{ event: 'logRotationFailed', path, problem: 'it is not a regular file' }]);
});

let now = 0;

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** As NFS does when there was no room for what was written before. */
const failingClose: LogFileCalls['close'] = (fd) => {
  closeSync(fd);
  throw failure('ENOSPC');
};

test('an error of close(2) is told, and ends nothing', () => {
  const { path, file, source, events } = opened({}, { close: failingClose });
  file.detach(source);
  expect(file.isOpen()).toBe(false);
  expect(events).toEqual([
    { event: 'outputLost', path, reason: 'cannotWrite', problem: 'the disk is full (ENOSPC)' },
    { event: 'outputResumed', path, lines: 0, bytes: 0 },
  ]);
});

test('a rotation has not failed if the file before cannot be closed without an error', async () => {
  const { path, file, write, events } = opened({ maxBytes: 10 }, { close: failingClose, nowMs: () => 0 });
  write('number 1\nnumber 2\n');
  await file.flushed();
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('number 1\n');
  expect(readFileSync(path, 'utf8')).toBe('number 2\n');
  expect(events.map(({ event }) => event)).toEqual(['outputLost']);
});

test('a file about which the system tells nothing any more is not rotated, but written on', async () => {
  const stat = (): never => {
    throw failure('ESTALE');
  };
  const { path, file, write, events } = opened({ maxBytes: 10 }, { stat });
  write('number 1\nnumber 2\n');
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toBe('number 1\nnumber 2\n');
  expect(events).toEqual([{ event: 'logRotationFailed', path, problem: 'ESTALE' }]);
});

test.each([
  ['nothing', 9, '\nnext\n', { lines: 1, bytes: 5 }],
  ['a part', 12, ' goes on\nnext\n', { lines: 2, bytes: 14 }],
])(
  'a line whose end is lost is ended before the next one, if %s of its rest was written',
  async (_what, bytes, rest, lost) => {
    const room = { bytes };
    let now = Date.now();
    const { path, file, write, events } = opened({}, { writev: failing('EIO', room), nowMs: () => now });
    for (const text of ['beginning', rest]) {
      write(text);
      await file.flushed();
    }
    room.bytes = Infinity;
    now += 1_000;
    write('later\n');
    await file.flushed();
    expect(readFileSync(path, 'utf8')).toBe('beginning\nlater\n');
    expect(events.at(-1)).toEqual({ event: 'outputResumed', path, ...lost });
  },
);

test('the beginning of a line that cannot be taken back is ended when the disk takes lines again', async () => {
  const room = { bytes: 12 };
  let now = Date.now();
  const stat = (): never => {
    throw failure('EIO');
  };
  const { path, file, write, events } = opened({}, { writev: failing('EIO', room), stat, nowMs: () => now });
  for (const text of ['number 1\nnumber 2\n', 'number 3\n']) {
    write(text);
    await file.flushed();
  }
  room.bytes = Infinity;
  now += 1_000;
  write('number 4\n');
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toBe('number 1\nnum\nnumber 4\n');
  expect(events.at(-1)).toEqual({ event: 'outputResumed', path, lines: 2, bytes: 18 });
});

test('with overflow drop, the line after a long one whose end was dropped begins a line', async () => {
  const { writev: call, go } = slowDisk();
  const { path, file, write } = opened({ overflow: 'drop' }, { writev: call });
  for (let at = 0; at < 40; at += 1) write('x'.repeat(65_536));
  write('\n');
  go();
  await file.flushed();
  write('next\n');
  await file.flushed();
  expect(readFileSync(path, 'utf8')).toMatch(/^x+\nnext\n$/);
});

test('a file that was empty overnight is not rotated before the next day', async () => {
  let now = new Date(2026, 10, 23, 9).getTime();
  const { path, file, write } = opened({ daily: true }, { nowMs: () => now });
  now += 86_400_000;
  for (const text of ['first\n', 'second\n']) {
    write(text);
    await file.flushed();
  }
  expect(existsSync(`${path}.1`)).toBe(false);
  expect(readFileSync(path, 'utf8')).toBe('first\nsecond\n');
});

test('what is not written when the master ends is counted', async () => {
  const { writev: call, go } = slowDisk();
  const { path, file, write, events } = opened({}, { writev: call });
  write('number 1\n');
  write('number 2\n');
  file.abandon();
  expect(events).toEqual([
    { event: 'outputLost', path, reason: 'cannotWrite', problem: 'it took too long at the stop' },
    { event: 'outputResumed', path, lines: 2, bytes: 18 },
  ]);
  go();
  await file.flushed();
});

test('nothing is told at the end of the master if everything is written', async () => {
  const { file, write, events } = opened();
  write('number 1\n');
  await file.flushed();
  file.abandon();
  expect(events).toEqual([]);
});
