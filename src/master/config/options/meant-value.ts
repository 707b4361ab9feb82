/** The value that was probably meant instead of a wrong one, such as `20s` instead of `20`. Pure. */
import { programValues } from './values.ts';

/** A value that the option accepts and that is spelled almost like the given one; null if there is none. `option`: the name of the option in code. */
export function meantValue(option: string, given: unknown): string | null {
  if (typeof given !== 'string' && typeof given !== 'number') return null;
  const written = String(given).trim();
  return slips(written, option).find((candidate) => candidate !== given && takes(option, candidate)) ?? null;
}

function takes(option: string, candidate: string): boolean {
  if (!Object.hasOwn(programValues, option)) return false;
  const value = option === 'listen' ? [candidate] : candidate;
  return programValues[option as keyof typeof programValues].safeParse(value).success;
}

/** Variants of a value with something added or removed that may be missing or superfluous. Most of them fit only one option. */
function slips(written: string, option: string): readonly string[] {
  const unit = /^\d{4,}$/.test(written) ? 'ms' : 's';
  const [idle = '', interval, ...probes] = written.split(':');
  const times = [idle, ...(interval === undefined ? [] : [interval])].map((time) =>
    /^\d+$/.test(time) ? `${time}s` : time,
  );
  return [
    written.replaceAll(/\s/g, ''),
    ...(/\d$/.test(written) ? [`${written}${unit}`] : []),
    [...times, ...probes].join(':'),
    // For listeners: a path, a URL, every address, UDP on every address, IPv6 without brackets.
    ...(/^\.{0,2}\//.test(written) ? [`unix:${written}`] : []),
    written.replace(/^\w+:\/\/([^/]+)\/?$/, '$1'),
    written.replace(/^\*?:(\d+)$/, '$1'),
    written.replace(/^udp:\*?:?(\d+)$/, 'udp:0.0.0.0:$1'),
    written.replace(/^((?:\w*:){2,}\w*):(\d+)$/, '[$1]:$2'),
    // For `ready`: a port, a path.
    ...(option === 'ready'
      ? [`tcp:${written}`, `http:${written}`, written.replace(/^http:(?!\/)/, 'http:/')]
      : []),
  ];
}
