/** The things that a worker keeps track of from its first connection on: its servers, their connections and the requests on them. */
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type net from 'node:net';
import type { ServerMethod } from '../node-internals/server-prototype.ts';
import { createConnections, type Connections } from './connections.ts';
import { createRequests, type RequestLimit, type Requests } from './requests.ts';
import { createServers, type Servers } from './servers.ts';

export interface Tracking {
  readonly servers: Servers;
  readonly connections: Connections;
  readonly requests: Requests;
  /** Call it when any server emits an event, before the listeners run. `first` is the event's first argument. */
  noteEvent(server: net.Server, event: string | symbol, first: unknown): void;
}

/** Starts to keep track. `close` is the method of `net.Server` from before the application could replace it. It only stops accepting. */
export function createTracking(close: ServerMethod, limit: RequestLimit | null = null): Tracking {
  const servers = createServers(close);
  const connections = createConnections(servers);
  const requests = createRequests(connections, limit);
  return {
    servers,
    connections,
    requests,
    noteEvent(server, event, first) {
      // The event 'request' is by far the most frequent one. Requests are counted elsewhere.
      if (event === 'request' || !servers.isTracked(server)) return;
      switch (event) {
        case 'connection':
          if (isSocket(first)) connections.accept(first);
          break;
        case 'secureConnection':
          // Only TLS servers emit this event.
          if (isSocket(first)) connections.secure(first);
          break;
        case 'session':
          if (isOfClass(first, 'ServerHttp2Session')) requests.addSession(first as ServerHttp2Session);
          break;
        case 'stream':
          if (isOfClass(first, 'ServerHttp2Stream')) requests.addStream(first as ServerHttp2Stream);
          break;
        case 'listening':
          // The server may have been dropped while it waited for its handle.
          servers.track(server);
          break;
        case 'close':
          servers.closed(server);
          break;
      }
    },
  };
}

/**
 * True for a value that behaves like a socket. An application may emit these events itself, with any Duplex, and a server of its own class with
 * anything. A value that does not show whether it is closed would count as open forever.
 */
function isSocket(value: unknown): value is net.Socket {
  if (typeof value !== 'object' || value === null) return false;
  const canBeHeard = 'once' in value && typeof value.once === 'function';
  return canBeHeard && 'closed' in value && typeof value.closed === 'boolean';
}

/** Checks the class by its name, because Node.js does not export it. */
function isOfClass(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  // An object of the application may have no prototype.
  const made: unknown = Reflect.get(value, 'constructor');
  return typeof made === 'function' && made.name === name;
}
