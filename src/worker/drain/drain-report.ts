/** Counts what a drain has finished and what it has not: the one place where open connections and requests are counted. */
import type { OpenCounts } from '../../shared/protocol.ts';
import type { Tracking } from '../tracking/tracking.ts';

/** The result of a drain, for the master's log. */
export interface DrainReport {
  /** Requests that were answered. */
  readonly served: number;
  /** Connections that other workers have taken. */
  readonly migrated: number;
  /** Connections that were closed before they were finished. */
  readonly cut: number;
  /** Connections that were open when the drain began, or were accepted in it, and that ended by themselves. */
  readonly drained: number;
}

/** The connections and requests that a drain leaves unfinished. */
export interface Unfinished {
  readonly connections: number;
  /** HTTP/1 requests without a complete response. */
  readonly requests: number;
}

export const nothingUnfinished: Unfinished = { connections: 0, requests: 0 };

type Tracked = Pick<Tracking, 'connections' | 'requests'>;

/** Counts what a drain would leave unfinished if it ended at this moment. A connection that Node.js has ended already only waits for its client. */
export function unfinishedNow({ connections, requests }: Tracked): Unfinished {
  return {
    connections: connections.open().filter(({ writableEnded }) => !writableEnded).length,
    requests: requests.inFlight().length,
  };
}

/** The counts that the master shows while the drain lasts. */
export function openCounts({ connections, requests }: Tracked): Omit<OpenCounts, 'isCleaningUp'> {
  return { requests: requests.inFlight().length, connections: connections.open().length };
}
