/** Whether a text is a cron expression, and if not, which of its fields is wrong. What times it stands for is known by croner. Pure. */
import { nearest } from '../../../shared/nearest.ts';

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The words for its numbers, beginning with that for `min`. */
  readonly names: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of the month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: months },
  // Both 0 and 7 are Sunday.
  { name: 'day of the week', min: 0, max: 7, names: days },
];

export const nicknames: readonly string[] = [
  '@hourly',
  '@daily',
  '@midnight',
  '@weekly',
  '@monthly',
  '@yearly',
  '@annually',
];

/** Says what is wrong with a cron expression; null if nothing is. */
export function cronFault(expression: string): string | null {
  const written = expression.trim();
  if (written.startsWith('@')) {
    const word = written.toLowerCase();
    if (nicknames.includes(word)) return null;
    const meant = nearest(word, nicknames);
    return `there is no ${written}${meant === null ? '' : `, only ${meant}`}`;
  }
  const parts = written === '' ? [] : written.split(/\s+/);
  if (parts.length !== fields.length)
    return `it needs five fields, and has ${parts.length}${parts.length === 6 ? ': there are no seconds' : ''}`;
  for (const [index, field] of fields.entries()) {
    const fault = fieldFault(parts[index] ?? '', field);
    if (fault !== null) return `${field.name}: ${fault}`;
  }
  return neverComes(parts);
}

function fieldFault(text: string, field: Field): string | null {
  for (const part of text.split(',')) {
    const fault = partFault(part, field);
    if (fault !== null) return fault;
  }
  return null;
}

function partFault(part: string, field: Field): string | null {
  if (part === '') return 'a value is missing';
  const [range = '', step, more] = part.split('/');
  if (more !== undefined) return `${part} has more than one step`;
  if (step !== undefined) {
    if (!/^\d{1,3}$/.test(step) || Number(step) < 1)
      return `the step ${step === '' ? 'of' : `${step} of`} ${part} is not a number from 1 on`;
    if (range !== '*' && !range.includes('-')) return `${part} has a step, but is no range`;
    if (Number(step) > field.max) return `the step ${step} is more than ${field.max}`;
  }
  if (range === '*') return null;
  const [from = '', to, third] = range.split('-');
  if (third !== undefined) return `${range} is no range`;
  const first = valueOf(from, field);
  if (typeof first === 'string') return first;
  if (to === undefined) return null;
  const last = valueOf(to, field);
  if (typeof last === 'string') return last;
  return first > last ? `${range} goes backwards` : null;
}

/** Parses one value of a field. Returns the number, or says what is wrong with the text. */
function valueOf(text: string, { min, max, names }: Field): number | string {
  const known = names.indexOf(text.toLowerCase());
  if (known !== -1) return min + known;
  if (/^\d{1,3}$/.test(text)) {
    const value = Number(text);
    return value >= min && value <= max ? value : `${text} is not from ${min} to ${max}`;
  }
  const meant = names.length === 0 ? null : nearest(text.toLowerCase(), names);
  const wanted = `${min} to ${max}${names.length === 0 ? '' : `, or ${names[0] ?? ''} to ${names.at(-1) ?? ''}`}`;
  return `${text === '' ? 'nothing' : text} is not from ${wanted}${meant === null ? '' : ` (did you mean ${meant}?)`}`;
}

/** Says that no month has such a day, as for 30 February; null if there is one. */
function neverComes([, , dayText = '', monthText = '', weekday = '']: readonly string[]): string | null {
  if (weekday !== '*' || dayText.startsWith('*')) return null;
  const [, , dayField, monthField] = fields;
  if (dayField === undefined || monthField === undefined) return null;
  const day = lowest(dayText, dayField);
  const chosen = monthText.startsWith('*') ? null : monthText;
  const longest = Math.max(...monthsIn(chosen, monthField).map((month) => lengths[month - 1] ?? 31));
  return day > longest ? `it never comes: no such month has a day ${day}` : null;
}

const lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function lowest(text: string, field: Field): number {
  return Math.min(
    ...text.split(',').map((part) => Number(valueOf(part.split(/[-/]/)[0] ?? '', field)) || field.min),
  );
}

function monthsIn(text: string | null, field: Field): readonly number[] {
  if (text === null) return lengths.map((_, index) => index + 1);
  return text.split(',').flatMap((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from = '', to = from] = range.split('-');
    const [first, last] = [Number(valueOf(from, field)), Number(valueOf(to, field))];
    return lengths.flatMap((_, index) => {
      const month = index + 1;
      return month >= first && month <= last && (month - first) % Number(step) === 0 ? [month] : [];
    });
  });
}
