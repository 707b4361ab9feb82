/** Sends HTTP/1 requests to a server of this process over a connection in memory, without a network. */
import type { Agent } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { inMemoryPair } from './in-memory-socket.ts';
import { inMemoryTlsPair } from './in-memory-tls-socket.ts';

// Not imported: that would load every lazy part of http. Both are loaded already in a process that can answer.
const http = () => process.getBuiltinModule('node:http');
const tls = () => process.getBuiltinModule('node:tls');

export interface Question {
  readonly path: string;
  /** The `User-Agent` header, by which the application can distinguish the request from those of its clients. */
  readonly userAgent: string;
  /** When it aborts, the connection ends and `ask` rejects. */
  readonly signal: AbortSignal;
}

/** Calls `action` in the context in which Node.js calls the listeners of the server. */
export type InContextOf = (server: net.Server, action: () => void) => void;

export interface Injector {
  /** Resolves to the status when the response has ended. Rejects if it does not end. */
  ask(question: Question): Promise<number>;
  /** Closes open connections. */
  close(): void;
}

/** Opens a connection for each request, because most code that is cold in a new worker runs between a connection and its first request. */
export function createInjector(server: net.Server, port: number, inContextOf: InContextOf): Injector {
  const agent: Agent = new (http().Agent)();
  agent.createConnection = () => connect(server, port, inContextOf);
  return {
    ask: ({ path, userAgent, signal }) =>
      new Promise((resolve, reject) => {
        const request = http().request({
          agent,
          path,
          // The headers are those that clients send, so that the same code runs; the agent closes the connection after the response.
          headers: {
            host: port === 0 ? 'localhost' : `localhost:${port}`,
            'user-agent': userAgent,
            accept: '*/*',
            connection: 'keep-alive',
          },
          signal,
        });
        request.on('error', reject);
        request.on('response', (response) => {
          response.on('error', reject);
          response.on('end', () => {
            resolve(response.statusCode ?? 0);
          });
          response.resume();
        });
        request.end();
      }),
    close() {
      agent.destroy();
    },
  };
}

/** A TLS server gets no handshake, but the connection that would result from one. */
function connect(server: net.Server, port: number, inContextOf: InContextOf): Duplex {
  const isSecure = server instanceof tls().Server;
  const ends = isSecure ? inMemoryTlsPair(port) : inMemoryPair(port);
  // An HTTP/2 server with `allowHTTP1` looks for itself in these properties.
  Object.assign(ends.server, { server, _server: server });
  process.nextTick(() => {
    inContextOf(server, () => {
      server.emit(isSecure ? 'secureConnection' : 'connection', ends.server);
    });
  });
  return ends.client;
}
