/** What one image of the master's process hands over to the next one: a file in memory, whose descriptor stays open through execve(2). */
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import { openMemory } from '../system-calls/exec-calls.ts';
import { type MasterRecord, recordVersion } from './record.ts';

export interface Snapshot {
  readonly master: MasterRecord;
  /** The children that the process had before it became a master: those of a shell that has become it by exec. */
  readonly foreignChildren: readonly number[];
  /** The pid of the worker whose line on the stream has not ended, or null if all have. */
  readonly openLines: { readonly stdout: number | null; readonly stderr: number | null };
}

/** Writes the snapshot into a new file. Returns its descriptor. Errors: `upgradeFailed`. */
export function writeSnapshot(snapshot: Snapshot): number {
  const fd = openMemory('graceful-run');
  if (typeof fd === 'string') throw cannot('write down', fd);
  try {
    const bytes = Buffer.from(JSON.stringify(snapshot));
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, at);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw cannot('write down', messageOf(error));
  }
}

/** Reads and closes the file. Errors: `upgradeFailed`, if it is not a snapshot of this version. */
export function readSnapshot(fd: number): Snapshot {
  let value: unknown;
  try {
    const bytes = Buffer.alloc(fstatSync(fd).size);
    for (let at = 0; at < bytes.length;) {
      const read = readSync(fd, bytes, at, bytes.length - at, at);
      if (read === 0) break;
      at += read;
    }
    value = JSON.parse(bytes.toString());
    closeSync(fd);
  } catch (error) {
    throw cannot('read', messageOf(error));
  }
  if (!isSnapshot(value))
    throw cannot(
      'read',
      `it is not of version ${recordVersion}, which this graceful-run reads`,
      'stop the master, and start it again in the new version',
    );
  return value;
}

function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== 'object' || value === null || !('master' in value)) return false;
  const { master } = value;
  return (
    typeof master === 'object' &&
    master !== null &&
    'version' in master &&
    // The version stands for the shape of everything else.
    master.version === recordVersion
  );
}

function cannot(what: string, problem: string, hint: string | null = null): GracefulRunError {
  const message = `cannot ${what} the state of the master: ${problem}`;
  return new GracefulRunError('upgradeFailed', message, hint === null ? {} : { hint });
}
