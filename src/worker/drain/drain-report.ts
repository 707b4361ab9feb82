/** What a drain has finished, what it still waits for, and what it would have to cut: the one place where they are counted. */
import type { OpenCounts } from '../../shared/protocol.ts';
import type { Migration } from '../migration/migration.ts';
import type { Connections } from '../tracking/connections.ts';
import type { Tracking } from '../tracking/tracking.ts';

/** The result of a drain, for the master's log. */
export interface DrainReport {
  /** Requests that were answered. */
  readonly served: number;
  readonly migrated: number;
  /** Connections that were closed before they were finished. */
  readonly cut: number;
}

/** What the master shows while a drain lasts. */
export function openCounts(tracking: Tracking): Omit<OpenCounts, 'isCleaningUp'> {
  return {
    requests: tracking.requests.inFlight().length,
    connections: tracking.connections.open().length,
  };
}

/** Connections that would be cut now. Those that Node.js has ended already only wait for their clients. */
export function unfinishedConnections(connections: Pick<Connections, 'open'>): number {
  return connections.open().filter(({ writableEnded }) => !writableEnded).length;
}

/** The report of a drain that ends now, with whatever is still open. */
export function reportNow(tracking: Tracking, migration: Pick<Migration, 'migrated'>): DrainReport {
  return {
    served: tracking.requests.served() - tracking.requests.inFlight().length,
    migrated: migration.migrated(),
    cut: unfinishedConnections(tracking.connections),
  };
}
