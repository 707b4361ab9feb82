/** Words for counts: workers, requests, open connections. Pure. */

/** Formats a count with its noun: `1 worker`, `2 workers`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

/** Describes what is open: `1 request in flight, 2 connections open`, and whether clean-up handlers run. Null if the numbers are not known. */
export function describeOpen({
  requests,
  connections,
  isCleaningUp,
}: {
  readonly requests: number | null;
  readonly connections: number | null;
  readonly isCleaningUp: boolean;
}): string | null {
  if (requests === null || connections === null) return null;
  const cleanUp = isCleaningUp ? ['clean-up handlers running'] : [];
  const isNothingOpen = requests === 0 && connections === 0;
  if (isCleaningUp && isNothingOpen) return cleanUp.join();
  return [
    `${count(requests, 'request')} in flight`,
    `${count(connections, 'connection')} open`,
    ...cleanUp,
  ].join(', ');
}
