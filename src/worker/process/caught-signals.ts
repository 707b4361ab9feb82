/** Which signals native code of this process has taken for itself, as the addons do that dump the heap at SIGUSR2. */

/** True when the signal has a handler already; false where there is no /proc to look into. */
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

/** Asked for when it is needed: most workers boot without node:os. */
export function signalNumber(signal: NodeJS.Signals): number {
  return process.getBuiltinModule('node:os').constants.signals[signal];
}
