/** What a worker keeps an eye on from its first connection on: its servers, their connections, and the requests that come. */
import { createConnections, type Connections } from './connections.ts';
import { createRequests, type Requests } from './requests.ts';
import type { ServerMethod } from '../node-internals/server-prototype.ts';

export interface Tracking {
  readonly requests: Requests;
  readonly connections: Connections;
}

/** `close` is net's own, from before anybody replaced it, which only stops accepting. */
export function createTracking(close: ServerMethod): Tracking {
  const requests = createRequests();
  return { requests, connections: createConnections(requests, close) };
}
