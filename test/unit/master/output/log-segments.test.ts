import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { knownAtEnd } from '../../../../src/master/output/known-lines.ts';
import {
  closeSegments,
  openSegments,
  readLines,
  readTail,
} from '../../../../src/master/output/log-segments.ts';
import { temporaryFolder } from '../../../helpers/run-master.ts';

/** Files with these lines, the oldest first; every second backup is compressed. */
function writeFiles(path: string, files: readonly (readonly string[])[]): void {
  for (const [at, lines] of files.entries()) {
    const number = files.length - 1 - at;
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    if (number === 0) writeFileSync(path, bytes);
    else
      writeFileSync(
        `${path}.${number}${number % 2 === 0 ? '.gz' : ''}`,
        number % 2 === 0 ? gzipSync(bytes) : bytes,
      );
  }
}

async function read(path: string, wanted: number | null, dropped: number): Promise<readonly string[]> {
  const { segments } = await openSegments(path);
  const lines: string[] = [];
  for await (const line of readLines(segments, wanted, dropped)) lines.push(line);
  await closeSegments(segments);
  return lines;
}

test('the last lines before others are found in whatever files they are', async () => {
  const folder = temporaryFolder();
  const line = fc.oneof(
    fc.constant(''),
    fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 }),
    fc.constant('x'.repeat(70_000)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(line, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(12)),
      fc.nat(12),
      async (files, wanted, dropped) => {
        rmSync(join(folder, 'logs'), { recursive: true, force: true });
        mkdirSync(join(folder, 'logs'));
        const path = join(folder, 'logs', 'app.log');
        writeFiles(path, files);
        const before = files.flat().slice(0, Math.max(0, files.flat().length - dropped));
        const expected = wanted === null ? before : wanted === 0 ? [] : before.slice(-wanted);
        expect(await read(path, wanted, dropped)).toEqual(expected);
      },
    ),
    { numRuns: 150 },
  );
});

test('the tail goes over files', async () => {
  const path = join(temporaryFolder(), 'app.log');
  writeFiles(path, [['one'], ['two', 'three'], ['four']]);
  const { segments } = await openSegments(path);
  expect(await readTail(segments)).toEqual(['one', 'two', 'three', 'four']);
  await closeSegments(segments);
});

test.each([
  ['nothing is remembered', ['a', 'b'], [], 0],
  ['all of it is in the file', ['a', 'b', 'c'], ['b', 'c'], 2],
  ['the last of it is on its way', ['a', 'b', 'c'], ['c', 'd'], 1],
  ['none of it is in the file yet', ['a', 'b'], ['c', 'd'], 0],
  ['lines repeat', ['a', 'a', 'a'], ['a', 'a'], 2],
  ['lines are missing in the file', ['a', 'b', 'd'], ['b', 'c', 'd'], 2],
  ['the first one is missing in the file', ['a', 'c', 'd'], ['b', 'c', 'd'], 2],
  ['the file was begun anew', ['c', 'd'], ['a', 'b', 'c', 'd'], 2],
  ['others write to the file', ['a', 'tick', 'b', 'tick', 'b'], ['tick', 'tick'], 4],
  ['an older line reads like one that is missing', ['b', 'x', 'y', 'c', 'd'], ['b', 'c', 'd'], 2],
])('what a file and the master both have is seen: %s', (_what, file, remembered, count) => {
  expect(knownAtEnd(file, remembered)).toBe(count);
});

test('a rotation under way hides no backup, and none is there twice', async () => {
  const path = join(temporaryFolder(), 'app.log');
  writeFiles(path, [['one'], ['two'], ['three'], ['four']]);
  // While the oldest is moved, its number is free.
  renameSync(`${path}.3`, `${path}.4`);
  expect(await read(path, null, 0)).toEqual(['one', 'two', 'three', 'four']);
  // Number 1 is opened again under another number.
  linkSync(`${path}.1`, `${path}.3`);
  expect(await read(path, null, 0)).toEqual(['one', 'two', 'three', 'four']);
});

test('a backup that cannot be opened is told', async () => {
  const path = join(temporaryFolder(), 'app.log');
  writeFiles(path, [['one'], ['two']]);
  rmSync(`${path}.1`);
  symlinkSync(`${path}.1`, `${path}.1`);
  const { segments, problem } = await openSegments(path);
  expect(problem).toContain('ELOOP');
  expect(segments).toHaveLength(1);
  await closeSegments(segments);
});
