/** Words for a release, and for the generation that serves. Pure. */
import type { Release } from './events.ts';

/** Names a release: the program file, followed by the working directory if that does not contain the file. */
export function describeRelease({ cwd, file }: Release): string {
  if (file === null) return cwd;
  return file.startsWith(`${cwd.replace(/\/$/, '')}/`) ? file : `${file} in ${cwd}`;
}

/** Ends a sentence about a failed reload: `, generation 1 keeps serving`; empty if no generation serves. */
export function servesOn(generation: number | null): string {
  return generation === null ? '' : `, generation ${generation} keeps serving`;
}

/** Ends a sentence that says which generation serves again: names the slots in which it does not, because its workers there are gone. */
export function except(remaining: number): string {
  if (remaining === 0) return '';
  return `, except in ${remaining === 1 ? 'a slot' : `${remaining} slots`} whose old workers are gone`;
}
