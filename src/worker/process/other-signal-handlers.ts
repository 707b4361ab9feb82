/** Signal handlers of this process that are not the application's own listeners: those of native code, and those of the package signal-exit. */
import { isRecord } from '../../shared/protocol.ts';

/**
 * True when this process has a handler for the signal: that of Node.js, because `process` has a listener for it, or that of native code, such
 * as an addon that dumps the heap at SIGUSR2. False where there is no /proc.
 */
export function isCaught(signal: NodeJS.Signals): boolean {
  try {
    const text = process.getBuiltinModule('node:fs').readFileSync('/proc/self/status', 'utf8');
    const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(text)?.[1];
    // proc_pid_status(5): bit 0 is signal 1.
    return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(signalNumber(signal) - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** node:os is not imported, because most workers boot without it. */
export function signalNumber(signal: NodeJS.Signals): number {
  return process.getBuiltinModule('node:os').constants.signals[signal];
}

/**
 * How many listeners of each signal belong to signal-exit (versions 3 and 4). It is part of many packages, listens for every signal to
 * run clean-up at each end of the process, and then sends the signal again: its listeners do not mean that the application handles the signal.
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
