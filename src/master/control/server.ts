/**
 * The control server: HTTP over a UNIX socket that only its owner can open. It owns the socket's life and its
 * connections; what a request does is in routes.ts, how the socket gets its name in claim.ts.
 */
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { controlFile, isProgramName } from '../../shared/control-path.ts';
import { GracefulRunError } from '../../shared/errors.ts';
import { claimSocket } from './claim.ts';
import { usableFolder } from './folder.ts';
import { answerMasterStopped, type ControlHandlers, handleRequest } from './routes.ts';

export type { ControlHandlers } from './routes.ts';

export interface ControlServer {
  readonly path: string;
  /**
   * Ends all answers and event streams, removes the socket, and resolves within half a second. A `stop` that waits
   * takes this as its end, so call it last. A second call gets the same promise.
   */
  close(): Promise<void>;
}

// An `import` of node:http would load all of its lazy parts too: 13 MB in the master.
const http = process.getBuiltinModule('node:http');

/** How long a connection may be silent before its request is complete. */
const silenceMs = 10_000;
/** How long clients may take to read their last answer when the server closes. */
const farewellMs = 500;
/** The longest interval that a timer of Node.js can have: 25 days. */
const neverMs = 2 ** 31 - 1;
const connectionLimit = 128;

/**
 * Opens the control socket of the program `name` in the first usable of `folders`. It does not keep the process alive:
 * a master lives as long as its workers, not as long as somebody could ask for them.
 * @throws GracefulRunError badOption (not a name), controlSocketUnusable, nameTaken.
 */
export async function openControlServer(options: {
  readonly name: string;
  readonly folders: readonly string[];
  readonly handlers: ControlHandlers;
}): Promise<ControlServer> {
  if (!isProgramName(options.name)) {
    throw new GracefulRunError(
      'badOption',
      `cannot use the name ${JSON.stringify(options.name)}: it is not a file name`,
      {
        hint: 'a name has up to 64 letters, digits, dots, dashes and underscores',
      },
    );
  }
  const folder = usableFolder(options.folders, process.geteuid?.() ?? 0);
  const open = new Set<ServerResponse>();
  // Node.js looks every 30 s for requests that take too long. Idle means idle, so that look is put off for ever, and
  // with it the two timeouts that it enforces; a timeout of the socket, armed only while there is one, replaces them.
  const server = http.createServer(
    { connectionsCheckingInterval: neverMs, headersTimeout: 0, requestTimeout: 0 },
    (request, response) => {
      open.add(response);
      response.once('close', () => open.delete(response));
      void handleRequest(request, response, options.handlers);
    },
  );
  server.setTimeout(silenceMs);
  server.maxConnections = connectionLimit;
  const claim = await claimSocket(server, join(folder, controlFile(options.name)));
  server.on('error', () => undefined);
  server.unref();

  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    claim.release();
    const drained = new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
    // What has been settled in this very turn still gets its proper answer.
    await new Promise((resolve) => setImmediate(resolve));
    for (const response of open) {
      if (response.headersSent) response.end();
      else answerMasterStopped(response);
    }
    const bound = setTimeout(() => {
      server.closeAllConnections();
    }, farewellMs);
    await drained;
    clearTimeout(bound);
  };
  return { path: claim.path, close: () => (closed ??= close()) };
}
