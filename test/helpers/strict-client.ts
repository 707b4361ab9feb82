/**
 * An HTTP/1 client that forgives nothing: every refusal, reset, early end, missing or wrong answer is counted, and no
 * request is ever made twice. It must not know who serves, nor when that one reloads.
 *
 * A server may close an idle connection at its keep-alive timeout, and a request that is on its way then is lost
 * rightly. So that such a failure cannot be mistaken, `paceMs` has to stay well below that timeout (Node.js: 5 s).
 */
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import { runLoad, type Load, type LoadBounds, type Run } from './load.ts';
import type { Response } from './response-reader.ts';
import { openConnection, type StrictConnection } from './strict-connection.ts';

export interface LoadOptions extends LoadBounds {
  readonly port: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Of a UNIX socket, instead of `port` and `host`. */
  readonly socketPath?: string;
  /** `keepAlive`: a new connection only where the server has ended the one before. `fresh`: one for every request. */
  readonly mode: 'keepAlive' | 'fresh';
  /** The pause of each client between an answer and its next request. Default: 0, as fast as possible. */
  readonly paceMs?: number;
  /** Default: `/`. */
  readonly path?: string;
  /** When given, the requests are POSTs of it. */
  readonly body?: string;
  /** Says what is wrong with an answer; null when it is the expected one. Default: any status but 200 is wrong. */
  readonly problemOf?: (response: Response) => string | null;
  /** How long a connection, and how long a whole answer, may take. Default: 10 s. */
  readonly timeoutMs?: number;
  /** Connections over TLS, trusting this certificate of `localhost`. */
  readonly certificate?: string;
  /** Called with each expected answer. */
  readonly answered?: (response: Response) => void;
}

export function startLoad(options: LoadOptions): Load {
  const { mode, paceMs = 0, timeoutMs = 10_000, certificate, problemOf = onlyOk } = options;
  const request = writeRequest(options);
  const connect = connector(options);
  const readyEvent = certificate === undefined ? 'connect' : 'secureConnect';

  async function take(run: Run, response: Response): Promise<void> {
    const problem = problemOf(response);
    if (problem !== null) {
      await run.failed('wrong', problem);
      return;
    }
    run.answered();
    options.answered?.(response);
  }

  /** Makes requests over one connection until it cannot take another. */
  async function use(run: Run, connection: StrictConnection): Promise<void> {
    for (;;) {
      const ending = connection.ending();
      if (ending !== null) {
        if (ending.kind === 'closed') run.tally.closedIdle += 1;
        else await run.failed(ending.kind, `on an idle connection: ${ending.detail}`);
        return;
      }
      if (run.isOver()) return;
      run.asks();
      const answer = await connection.ask(request, timeoutMs);
      if (answer.kind !== 'answered') {
        await run.failed(answer.kind, answer.detail);
        return;
      }
      await take(run, answer.response);
      if (answer.response.isLast) run.tally.closedAsAnnounced += 1;
      if (answer.response.isLast || mode === 'fresh') return;
      if (paceMs > 0) await run.rest(paceMs);
    }
  }

  return runLoad(options, async (run) => {
    while (!run.isOver()) {
      const connection = await openConnection(connect, readyEvent, timeoutMs);
      if ('detail' in connection) {
        await run.failed(connection.kind, connection.detail);
        continue;
      }
      run.tally.connections += 1;
      await use(run, connection);
      connection.close();
      if (paceMs > 0) await run.rest(paceMs);
    }
  });
}

function onlyOk({ status }: Response): string | null {
  return status === 200 ? null : `status ${status}`;
}

function writeRequest({ mode, path = '/', body, host = '127.0.0.1' }: LoadOptions): string {
  const post = ['Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(body ?? '')}`];
  const lines = [
    `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...(mode === 'fresh' ? ['Connection: close'] : []),
    ...(body === undefined ? [] : post),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

function connector({ host = '127.0.0.1', port, socketPath, certificate }: LoadOptions): () => Socket {
  if (socketPath !== undefined) return () => net.connect({ path: socketPath });
  if (certificate === undefined) return () => net.connect({ host, port });
  return () => tls.connect({ host, port, ca: certificate, servername: 'localhost' });
}
