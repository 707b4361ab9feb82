/**
 * Asks a server of this process a question, without a network: HTTP/1 over a connection in memory. It must not know what the
 * answers are good for.
 */
import type { Agent } from 'node:http';
import type net from 'node:net';
import type { Duplex } from 'node:stream';
import { inMemoryPair } from './in-memory-socket.ts';
import { inMemoryTlsPair } from './in-memory-tls-socket.ts';

// Not by import: that would load every lazy part of http. All three are loaded already in a process that can answer.
const http = () => process.getBuiltinModule('node:http');
const tls = () => process.getBuiltinModule('node:tls');

export interface Question {
  readonly path: string;
  /** So that the application can tell it from its clients'. */
  readonly userAgent: string;
  /** Aborting ends the connection, and rejects. */
  readonly signal: AbortSignal;
}

/** Calls `action` as Node.js does when the server has something to say. */
export type InContextOf = (server: net.Server, action: () => void) => void;

export interface Injector {
  /** Resolves to the status when the answer has come to its end. Rejects when it does not. */
  ask(question: Question): Promise<number>;
  /** Ends what is open. */
  close(): void;
}

/** A connection for each question: most of what is cold in a new worker is on the way from a connection to its first request. */
export function createInjector(server: net.Server, port: number, inContextOf: InContextOf): Injector {
  const agent: Agent = new (http().Agent)();
  agent.createConnection = () => connect(server, port, inContextOf);
  return {
    ask: ({ path, userAgent, signal }) =>
      new Promise((resolve, reject) => {
        const request = http().request({
          agent,
          path,
          // As clients ask, so that the same code runs; the agent ends the connection after the answer.
          headers: {
            host: `localhost:${port}`,
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

/** The handshake of a TLS server is left out: it gets the connection that would have come of it. */
function connect(server: net.Server, port: number, inContextOf: InContextOf): Duplex {
  const isSecure = server instanceof tls().Server;
  const ends = isSecure ? inMemoryTlsPair(port) : inMemoryPair(port);
  // Where an HTTP/2 server that takes HTTP/1 as well looks for itself.
  Object.assign(ends.server, { server, _server: server });
  process.nextTick(() => {
    inContextOf(server, () => {
      server.emit(isSecure ? 'secureConnection' : 'connection', ends.server);
    });
  });
  return ends.client;
}
