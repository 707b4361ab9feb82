/** What a release is called in a sentence. Pure. */
import type { Release } from './events.ts';

/** The program file, followed by the working directory if that does not contain it. */
export function describeRelease({ cwd, file }: Release): string {
  if (file === null) return cwd;
  return file.startsWith(`${cwd.replace(/\/$/, '')}/`) ? file : `${file} in ${cwd}`;
}

/** `, generation 1 keeps serving`: the end of a sentence about a failed reload; empty if no generation serves. */
export function servesOn(generation: number | null): string {
  return generation === null ? '' : `, generation ${generation} keeps serving`;
}

/** After which generation serves again: the slots in which that one does not, because its workers there are gone. */
export function except(remaining: number): string {
  if (remaining === 0) return '';
  return `, except in ${remaining === 1 ? 'a slot' : `${remaining} slots`} whose old workers are gone`;
}
