/** Finds a program by its name. */
import { GracefulRunError } from '../../shared/errors.ts';
import { nearest } from '../../shared/nearest.ts';
import type { Member } from './member.ts';

/** The program with this name; null finds the only one. @throws GracefulRunError `programNotFound`; `programAmbiguous` for null if there are several. */
export function findMember(members: readonly Member[], name: string | null): Member {
  const names = members.map(({ program }) => program.name());
  if (name === null) {
    const [only] = members;
    if (only !== undefined && members.length === 1) return only;
    throw new GracefulRunError('programAmbiguous', `cannot choose among ${members.length} programs`, {
      hint: `name one of ${names.join(', ')}`,
    });
  }
  const found = members.find(({ program }) => program.name() === name);
  if (found !== undefined) return found;
  const meant = nearest(name, names);
  throw new GracefulRunError(
    'programNotFound',
    `cannot find the program ${name}: this master has no program of that name`,
    {
      hint: meant === null ? `its programs are ${names.join(', ')}` : `did you mean ${meant}?`,
    },
  );
}
