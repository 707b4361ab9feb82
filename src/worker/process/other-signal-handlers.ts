/** Signal handlers of this process that are not the application's own listeners: those of native code, and those of the package signal-exit. */
import { isRecord } from '../../shared/protocol.ts';

/**
 * The signal numbers on Linux: only there exists the file that is read here. They are not read from node:os, which takes 17 KB of the young
 * generation: a small application boots without a garbage collection (docs/adr/0002-bundles.md).
 */
const numbers: Readonly<Record<'SIGHUP' | 'SIGUSR2', number>> = {
  SIGHUP: 1,
  SIGUSR2: process.arch.startsWith('mips') ? 17 : 12,
};

/**
 * Reads which signals this process has handlers for: that of Node.js, because `process` has a listener for it, or that of native code, such as an
 * addon that dumps the heap at SIGUSR2. Without /proc, no signal counts as handled.
 */
export function readCaught(): (signal: keyof typeof numbers) => boolean {
  const mask = BigInt(`0x${readMask() ?? '0'}`);
  // proc_pid_status(5): bit 0 is signal 1.
  return (signal) => ((mask >> BigInt(numbers[signal] - 1)) & 1n) === 1n;
}

function readMask(): string | undefined {
  try {
    const text = process.getBuiltinModule('node:fs').readFileSync('/proc/self/status', 'utf8');
    return /^SigCgt:\s*([0-9a-f]+)$/m.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** Returns the number of a signal. node:os is not imported, because most workers boot without it. */
export function signalNumber(signal: NodeJS.Signals): number {
  return process.getBuiltinModule('node:os').constants.signals[signal];
}

/**
 * Returns how many listeners of each signal belong to signal-exit (versions 3 and 4). It is part of many packages, listens for every signal to run
 * clean-up at each end of the process, and then sends the signal again: its listeners do not mean that the application handles the signal.
 */
export function signalExitCount(): number {
  const emitters: readonly unknown[] = [
    Reflect.get(globalThis, Symbol.for('signal-exit emitter')),
    Reflect.get(process, '__signal_exit_emitter__'),
  ];
  return emitters.reduce<number>((sum, emitter) => {
    const count: unknown = isRecord(emitter) ? emitter['count'] : 0;
    return sum + (typeof count === 'number' ? count : 0);
  }, 0);
}
