/**
 * The hashes of files' contents. A hash is remembered while the status of its file shows that the file was not written to. It consists of the size and the
 * CRC-32: of the changes that keep the size, one in 2^32 would be missed, and none that is shorter than four bytes. A cryptographic hash would cost the
 * master 1 MB (Node.js 20) to 2 MB (26).
 */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { systemCode } from '../../shared/errors.ts';
import { isAbsence } from './content-probe.ts';

export type Hashed =
  | { readonly kind: 'hash'; readonly hash: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly code: string };

interface Remembered {
  readonly status: string;
  readonly hash: string;
}

/**
 * How old a status has to be to be trusted. It tells writes apart only as finely as the kernel's clock ticks (up to 10 ms). So the hash of a file that was
 * written just now is not remembered: a second write within the tick would be missed (the "racily clean" entries of Git).
 */
const tickMs = 100;

export class Hashes {
  #remembered = new Map<string, Remembered>();
  #used = new Map<string, Remembered>();
  #isStopped = false;
  readonly #buffer = Buffer.allocUnsafeSlow(64 * 1024);

  /** Forgets the files that were not asked for since the last call. */
  forgetUnused(): void {
    this.#remembered = this.#used;
    this.#used = new Map();
  }

  /** Called when the result is not wanted any more: reading that is under way ends soon, however long a file is, and its result is not to be used. */
  stop(): void {
    this.#isStopped = true;
  }

  isStopped(): boolean {
    return this.#isStopped;
  }

  /** The hash of a regular file. Calls must not overlap: they share one buffer. */
  async hashOf(path: string): Promise<Hashed> {
    try {
      const stats = await stat(path, { bigint: true });
      if (!stats.isFile()) return { kind: 'missing' };
      const status = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
      const known = this.#remembered.get(path);
      const entry = known?.status === status ? known : { status, hash: await this.#read(path) };
      if (Date.now() - Number(stats.ctimeMs) > tickMs) this.#used.set(path, entry);
      return { kind: 'hash', hash: entry.hash };
    } catch (error) {
      const code = systemCode(error) ?? 'unknown error';
      return isAbsence(code) ? { kind: 'missing' } : { kind: 'unreadable', code };
    }
  }

  async #read(path: string): Promise<string> {
    const { crc32 } = process.getBuiltinModule('node:zlib');
    let sum = 0;
    let size = 0;
    // O_NONBLOCK: should a pipe have taken the file's place, open(2) must not wait for its writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      for (;;) {
        const { bytesRead } = await file.read(this.#buffer, 0, this.#buffer.length);
        if (bytesRead === 0 || this.#isStopped) return `${size}:${sum}`;
        sum = crc32(this.#buffer.subarray(0, bytesRead), sum);
        size += bytesRead;
      }
    } finally {
      await file.close();
    }
  }
}
