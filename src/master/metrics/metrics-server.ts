/** Serves /metrics on a TCP address, over HTTP or HTTPS. Loaded only if a plan has such an address. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { type AddressFields, addressFields, formatSocketAddress } from '../../shared/format-address.ts';
import { metricsRoute } from '../../shared/control-api.ts';
import type { MetricsPlan } from '../config/options/metrics-options.ts';
import { createConnections, withoutChecks } from '../control/connection-limits.ts';
import { answerError, answerMetrics, Refusal } from '../control/http-answers.ts';
import { addressError } from '../sockets/address-errors.ts';
import { handleDescriptor } from '../sockets/handle-descriptor.ts';
import { thisMachine } from '../sockets/this-machine.ts';

export interface MetricsServer {
  readonly address: AddressFields;
  /** The descriptor of its socket, or null if it is closed. */
  fd(): number | null;
  /** Resolves when no connection is left. Never rejects. */
  close(): Promise<void>;
}

export interface MetricsServerParts {
  readonly plan: MetricsPlan;
  readonly render: () => Promise<string>;
  /** The descriptor of the socket that the previous image of this process has opened; null if there is none. */
  readonly inheritedFd: number | null;
  /** Called if the certificate cannot be read again. The previous one stays in use. */
  readonly onProblem: (problem: string) => void;
}

/** Opens the server. Errors: `addressInUse`, `addressUnusable`, and those of reading the certificate. */
export async function openMetricsServer({
  plan,
  render,
  inheritedFd,
  onProblem,
}: MetricsServerParts): Promise<MetricsServer> {
  const { host, port, token, tls } = plan;
  const connections = createConnections();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (connections.isFirst(request.socket)) void handle(request, response, token, render);
  };
  const server = tls === null ? http(answer) : https(tls, answer, onProblem);
  server.on('connection', (socket) => {
    connections.add(socket);
  });
  try {
    server.listen(inheritedFd === null ? { host, port, exclusive: true } : { fd: inheritedFd });
    await once(server, 'listening');
  } catch (error) {
    const where = formatSocketAddress({ type: 'tcp', host, port });
    throw addressError(where, systemCode(error) ?? messageOf(error), { host, port }, thisMachine(false));
  }
  server.on('error', () => undefined);
  // The server does not keep the process alive: a master lives as long as its programs.
  server.unref();
  const bound = server.address();
  const held = typeof bound === 'object' && bound !== null ? bound : { address: host, port };
  return {
    address: addressFields({ type: 'tcp', host: held.address, port: held.port }),
    fd: () => handleDescriptor(server),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

function http(answer: (request: IncomingMessage, response: ServerResponse) => void): Server {
  return process.getBuiltinModule('node:http').createServer(withoutChecks, answer);
}

function https(
  files: NonNullable<MetricsPlan['tls']>,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  onProblem: (problem: string) => void,
): Server {
  const read = (): { readonly cert: Buffer; readonly key: Buffer } => ({
    cert: readFileSync(files.cert),
    key: readFileSync(files.key),
  });
  const written = (): string => {
    try {
      return [files.cert, files.key].map((file) => statSync(file).mtimeMs).join();
    } catch {
      return '';
    }
  };
  let known = written();
  const server = process.getBuiltinModule('node:https').createServer({ ...withoutChecks, ...read() }, answer);
  // Checked before each handshake, because certificates are renewed while the master runs.
  server.prependListener('connection', () => {
    const now = written();
    if (now === known) return;
    known = now;
    try {
      server.setSecureContext(read());
    } catch (error) {
      onProblem(`cannot use ${files.cert} and ${files.key}: ${messageOf(error)}`);
    }
  });
  return server;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  token: string | null,
  render: () => Promise<string>,
): Promise<void> {
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  response.shouldKeepAlive = false;
  try {
    if (token !== null && !isSame(request.headers.authorization ?? '', `Bearer ${token}`))
      throw new Refusal(401, 'the token is missing or wrong', { 'www-authenticate': 'Bearer' });
    const [path] = (request.url ?? '').split('?');
    if (path !== metricsRoute) throw new Refusal(404, `there is only ${metricsRoute}`);
    if (request.method !== 'GET') throw new Refusal(405, `${metricsRoute} wants GET`, { allow: 'GET' });
    answerMetrics(response, await render());
  } catch (error) {
    answerError(response, error);
  }
}

/** Compares in a time that does not depend on where the texts differ. Written by hand, because node:crypto would cost the master 2 MB. */
function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  let difference = one.length ^ other.length;
  for (const [index, byte] of other.entries()) difference |= byte ^ (one[index] ?? 0);
  return difference === 0;
}
