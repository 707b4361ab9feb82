/** The time zones that Node.js knows. Pure. */
import { nearest } from '../../../shared/nearest.ts';

export function isTimeZone(name: string): boolean {
  // Some versions of Node.js accept offsets such as `+01:00`.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** The time zone that was probably meant; null if none is close. A city alone stands for its zone. */
export function meantTimeZone(name: string): string | null {
  const all = ['UTC', ...Intl.supportedValuesOf('timeZone')];
  const lower = name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  const city = all.find((zone) => zone.toLowerCase().endsWith(`/${lower}`));
  if (city !== undefined) return city;
  const meant = nearest(
    lower,
    all.map((zone) => zone.toLowerCase()),
  );
  return all.find((zone) => zone.toLowerCase() === meant) ?? null;
}
