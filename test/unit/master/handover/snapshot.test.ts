// The file in memory that one image of the master's process leaves for the next one.
import { fstatSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type MasterRecord, recordVersion } from '../../../../src/master/handover/record.ts';
import { readSnapshot, type Snapshot, writeSnapshot } from '../../../../src/master/handover/snapshot.ts';
import { loadExecCalls } from '../../../../src/master/system-calls/exec-calls.ts';

/** A snapshot with only what is read here. */
function snapshotOf(version: number): Snapshot {
  return {
    master: { version, logId: 'ä€', plan: { name: 'shop' } } as unknown as MasterRecord,
    foreignChildren: [7],
    openLines: { stdout: null, stderr: 42 },
  };
}

describe.runIf(process.platform === 'linux')('a snapshot', () => {
  beforeAll(loadExecCalls);

  test('is read as it was written, once', () => {
    const snapshot = snapshotOf(recordVersion);
    const fd = writeSnapshot(snapshot);
    expect(readSnapshot(fd)).toEqual(snapshot);
    expect(() => fstatSync(fd)).toThrow('EBADF');
  });

  test('of another version is refused', () => {
    const fd = writeSnapshot(snapshotOf(recordVersion + 1));
    expect(() => readSnapshot(fd)).toThrow(
      expect.objectContaining({
        code: 'upgradeFailed',
        message: expect.stringContaining(`not of version ${recordVersion}`) as unknown,
      }),
    );
  });

  test('that is not there is refused', () => {
    expect(() => readSnapshot(9_999)).toThrow(expect.objectContaining({ code: 'upgradeFailed' }));
  });
});
