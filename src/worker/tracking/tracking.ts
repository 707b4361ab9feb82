/** What a worker keeps an eye on from its first connection on: its servers, their connections, and the requests that come. */
import { createConnections, type Connections } from './connections.ts';
import { createExchanges, type Exchanges } from './requests.ts';
import type { ServerMethod } from '../node-internals/server-methods.ts';

export interface Tracking {
  readonly exchanges: Exchanges;
  readonly connections: Connections;
}

/** `close` is net's own, from before anybody replaced it, which only stops accepting. */
export function createTracking(close: ServerMethod): Tracking {
  const exchanges = createExchanges();
  return { exchanges, connections: createConnections(exchanges, close) };
}
