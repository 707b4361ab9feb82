/** System calls about this process as a whole. */
import { loadedCalls, loadedLibrary } from './c-library.ts';

let trim: ((keptBytes: number) => number) | null = null;

/** malloc_trim(3): returns free memory to the system. Only the GNU C library has it. Elsewhere, and before loadSystemCalls(), it does nothing. */
export function trimMemory(): void {
  try {
    trim ??= loadedLibrary()?.func('int malloc_trim(size_t)') ?? null;
  } catch {
    trim = () => 0;
  }
  trim?.(0);
}

/** _exit(2): ends this process with all of its threads, without calling anything before. Returns if no system call was ever loaded. */
export function exitNow(code: number): void {
  loadedCalls()?.exit(code);
}
