/** Migrates the connections of this draining worker, as their source, to the destinations that the master announces. */
import type net from 'node:net';
import type { Servers } from '../tracking/servers.ts';
import { createDestinations } from './destinations.ts';
import { createHttpMigration, type HttpMigrationParts } from './migrate-http.ts';
import {
  createConcurrencyLimit,
  migrateCustomProtocol,
  type MigrationRequest,
  type MigrationResult,
} from './migrate-custom-protocol.ts';
import { keepOpenAtClose } from './movable-connections.ts';

export interface MigrationParts extends HttpMigrationParts {
  readonly servers: Pick<Servers, 'all'>;
}

export interface Migration {
  /** Adds a destination. `end`: one end of a pipe to it, as the master sent it. `more`: how many destinations the master announces next. */
  addDestination(end: unknown, more: number): void;
  /** Begins to migrate HTTP/1 connections. Those that can migrate leave within this time, counted from when there is a destination. */
  begin(withinMs: number, events: MigrationEvents): void;
  /** True if this HTTP/1 connection migrates by itself as soon as it is idle. */
  willMove(socket: net.Socket): boolean;
  /** Offers a connection of a custom protocol. Unless the result is `taken`, it stays open here. */
  migrate(socket: net.Socket, request: MigrationRequest): Promise<MigrationResult>;
  /** The number of connections that have migrated. */
  migrated(): number;
}

export interface MigrationEvents {
  /** Called when there is no destination, or none any more. */
  abandoned(): void;
  /** Called when there is a destination after all. */
  resumed(): void;
}

/** How many connections of custom protocols are offered at a time, because their clients wait if the destination is busy. */
const maxCustomInFlight = 64;

export function createMigration(parts: MigrationParts): Migration {
  let phase: 'before' | 'moving' | 'abandoned' = 'before';
  let events: MigrationEvents = { abandoned: () => undefined, resumed: () => undefined };
  let withinMs = 0;
  let migrated = 0;
  const inTransit = new Set<net.Socket>();
  const limit = createConcurrencyLimit(maxCustomInFlight);

  const destinations = createDestinations({
    introduced() {
      http.forgetRefusals();
      if (phase === 'abandoned') {
        phase = 'moving';
        events.resumed();
      }
      if (phase === 'moving') http.moveAll(withinMs);
    },
    missing() {
      phase = 'abandoned';
      http.stop();
      events.abandoned();
    },
  });
  const http = createHttpMigration(parts, {
    destinations,
    inTransit,
    isMoving: () => phase === 'moving',
    moved: () => {
      migrated += 1;
    },
  });

  return {
    addDestination(end, more) {
      destinations.add(end, more);
    },
    begin(ms, given) {
      phase = 'moving';
      events = given;
      withinMs = ms;
      keepOpenAtClose(parts.servers.all(), (socket) => http.willMove(socket));
      http.watchResponses();
      destinations.expect();
      if (destinations.areReady()) http.moveAll(withinMs);
    },
    willMove: (socket) => http.willMove(socket),
    async migrate(socket, request) {
      if (phase === 'before') return 'nobody';
      return migrateCustomProtocol(
        socket,
        request,
        { destinations, limit },
        {
          begun: () => inTransit.add(socket),
          ended: (isTaken) => {
            inTransit.delete(socket);
            if (isTaken) migrated += 1;
          },
        },
      );
    },
    migrated: () => migrated,
  };
}
