/** Options that do not go together with the type of a program. Pure. */
import type { GracefulRunError } from '../../../shared/errors.ts';
import type { KindPlan } from './kind-options.ts';
import { type Spelling, withoutAddress } from './option-errors.ts';
import { limitsOf, type ReplacementPlan } from './replacement-options.ts';

interface Written {
  readonly schedule?: string | undefined;
  readonly watch?: boolean | readonly string[] | undefined;
  readonly port?: number | undefined;
  readonly listen?: readonly string[] | undefined;
  readonly host?: string | undefined;
}

/** Options that only programs with an address have, or only those without. Null: there is none. */
export function inapplicableToKind(
  { type, overlaps }: KindPlan,
  { port, listen, host, schedule, watch }: Written,
  replacement: ReplacementPlan,
  spelling: Spelling,
): GracefulRunError | null {
  const [given] = Object.entries({ port, listen, host }).flatMap(([name, value]) =>
    value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [name],
  );
  if (type !== 'server' && given !== undefined)
    return withoutAddress(given, `a program of type ${type} has no address`, spelling);
  if (type === 'server' && !overlaps)
    return withoutAddress(
      'overlap',
      'the workers of a server share its listeners, so they overlap',
      spelling,
    );
  if (schedule !== undefined && type !== 'oneshot')
    return withoutAddress(
      'schedule',
      'only a oneshot runs by a schedule',
      spelling,
      'add the type oneshot, or leave it out',
    );
  if (schedule !== undefined && watch !== undefined && watch !== false)
    return withoutAddress(
      'watch',
      'a scheduled run takes what has changed by itself',
      spelling,
      'leave it out',
    );
  return inapplicableLimit({ type, overlaps }, replacement, spelling);
}

/** Limits after which a worker is replaced need one that is started beside it. */
function inapplicableLimit(
  { type, overlaps }: Pick<KindPlan, 'type' | 'overlaps'>,
  replacement: ReplacementPlan,
  spelling: Spelling,
): GracefulRunError | null {
  if (type === 'oneshot' && replacement.watchdogMs !== null)
    return withoutAddress('watchdog', 'a oneshot ends by itself', spelling);
  const [limit] = limitsOf(replacement);
  if (limit === undefined) return null;
  if (type === 'oneshot') return withoutAddress(limit, 'a oneshot ends by itself', spelling);
  if (!overlaps)
    return withoutAddress(
      limit,
      'a worker is replaced by one that starts beside it',
      spelling,
      'leave it out, or let the workers overlap (overlap)',
    );
  if (type !== 'server' && replacement.maxRequests !== null)
    return withoutAddress('maxRequests', `a program of type ${type} serves no requests`, spelling);
  return null;
}
