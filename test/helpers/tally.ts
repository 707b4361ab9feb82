/** What a client has seen, counted. Pure; it must not know how it was seen. */

/** Every way in which a client can see a server fail. */
export const failureKinds = [
  /** No connection: nobody listened. */
  'refused',
  /** The connection was reset, whether or not a request was under way. */
  'reset',
  /** No connection or no whole answer in time. */
  'timedOut',
  /** The connection ended in the middle of an answer. */
  'earlyEnd',
  /** The connection ended before the first byte of the answer to a request that had been written. */
  'unanswered',
  /** A whole answer, but not the expected one; or bytes that nobody had asked for. */
  'wrong',
  /** Anything else, such as a client that has run out of ports. */
  'other',
] as const;

export type FailureKind = (typeof failureKinds)[number];

export interface Tally extends Record<FailureKind, number> {
  /** Requests that got the whole expected answer. */
  answered: number;
  /** Connections that were opened. */
  connections: number;
  /** Connections that ended as announced, by `Connection: close` or GOAWAY. */
  closedAsAnnounced: number;
  /** Connections that the server closed while nothing was under way. No failure: a client may see it and open another. */
  closedIdle: number;
  /** Requests that were made again because the server said that it had not looked at them: REFUSED_STREAM of HTTP/2. */
  refusedUnseen: number;
  /** What the first failures looked like, for people. */
  readonly examples: string[];
}

const exampleLimit = 5;

export function emptyTally(): Tally {
  const none: Record<FailureKind, number> = {
    refused: 0,
    reset: 0,
    timedOut: 0,
    earlyEnd: 0,
    unanswered: 0,
    wrong: 0,
    other: 0,
  };
  return {
    ...none,
    answered: 0,
    connections: 0,
    closedAsAnnounced: 0,
    closedIdle: 0,
    refusedUnseen: 0,
    examples: [],
  };
}

export function countFailure(tally: Tally, kind: FailureKind, detail: string): void {
  tally[kind] += 1;
  if (tally.examples.length < exampleLimit) tally.examples.push(`${kind}: ${detail}`);
}

/** All failures together. */
export function failuresOf(tally: Tally): number {
  return failureKinds.reduce((sum, kind) => sum + tally[kind], 0);
}

/** The failures that there were, by kind: an empty object when there were none. */
export function failureCounts(tally: Tally): Partial<Record<FailureKind, number>> {
  return Object.fromEntries(
    failureKinds.filter((kind) => tally[kind] > 0).map((kind) => [kind, tally[kind]]),
  );
}

/** The failure that a system's error code stands for. */
export function failureKindOf(code: string | null): FailureKind {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return code === 'ETIMEDOUT' ? 'timedOut' : 'other';
}
