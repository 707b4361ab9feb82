/**
 * Keeps Node.js from opening stderr its own way in the master's process, which it does even if process.stderr is never used: it
 * would make a pipe non-blocking for every process that shares it, among them the workers, and wait for a terminal that is stopped. What is
 * written to process.stderr, and warnings, go where the log goes. Has to be loaded before everything else.
 */
import { Writable } from 'node:stream';
import { standardError } from '../output/standard-error.ts';

const stderr = new Writable({
  decodeStrings: true,
  write: (chunk: Uint8Array, _encoding, done) => {
    standardError().write(chunk);
    done();
  },
});

Object.defineProperty(process, 'stderr', {
  configurable: true,
  enumerable: true,
  get: () => Object.assign(stderr, { fd: 2 }),
});

// Removes the listener of Node.js itself, which would write with a call that blocks.
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  standardError().write(`graceful-run: ${name}: ${message}\n`);
});
