/** The query of a request for the lines of workers. Pure. */
import type { LogsRequest } from '../output/read-logs.ts';

const names = ['lines', 'since', 'stream', 'follow'];
const mostLines = 1_000_000_000;

/** Parses the query of a request. `url`: the URL as it was requested. */
export function parseLogsQuery(
  url: string,
): { readonly request: LogsRequest } | { readonly problem: string } {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const stranger = [...query.keys()].find((name) => !names.includes(name));
  if (stranger !== undefined) return { problem: `unknown: ${stranger}` };
  const lines = numberIn(query.get('lines'), mostLines);
  const since = numberIn(query.get('since'), Number.MAX_SAFE_INTEGER);
  const stream = query.get('stream');
  const follow = query.get('follow') ?? 'false';
  if (lines === undefined) return { problem: '`lines` must be a whole number' };
  if (since === undefined) return { problem: '`since` must be a whole number of ms since 1970' };
  if (stream !== null && stream !== 'stdout' && stream !== 'stderr')
    return { problem: '`stream` must be stdout or stderr' };
  if (follow !== 'true' && follow !== 'false') return { problem: '`follow` must be true or false' };
  return { request: { lines, since, stream, follows: follow === 'true' } };
}

/** Parses a number of the query; null if it is missing, undefined if it is wrong. */
function numberIn(text: string | null, most: number): number | null | undefined {
  if (text === null) return null;
  const number = Number(text);
  return /^\d{1,16}$/.test(text) && number <= most ? number : undefined;
}
