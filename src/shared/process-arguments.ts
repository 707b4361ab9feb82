/** Reads /proc/PID/cmdline (proc_pid_cmdline(5)). Linux only. */
import { readFileSync } from 'node:fs';

/** Returns the words of a process's command line; none if it has ended, has none, or is hidden from this user. */
export function readProcessArguments(pid: number): readonly string[] {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // Each word ends with a NUL.
    if (words.at(-1) === '') words.pop();
    return words;
  } catch {
    return [];
  }
}
