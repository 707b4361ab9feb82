/**
 * The control server: HTTP over a UNIX socket that only its owner can open. It owns the life of the socket: which folder it is in,
 * that it is made again when it was removed, and its end. What a request does is in routes.ts.
 */
import type { Server, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { controlFile } from '../../shared/control-path.ts';
import { isProgramName, programNameRule } from '../../shared/program-name.ts';
import { GracefulRunError, messageOf } from '../../shared/errors.ts';
import type { MasterEvent } from '../../shared/events.ts';
import { type Claim, claimHeld, claimSocket, type WaitForHolder } from './claim-socket.ts';
import { createConnections, withoutChecks } from './connection-limits.ts';
import { inUsableFolder, makeFolder } from './socket-folder.ts';
import { watchFolder } from './folder-watch.ts';
import type { Commands } from './commands.ts';
import { handleDescriptor } from '../sockets/handle-descriptor.ts';
import { answerMasterStopped, handleRequest } from './routes.ts';

type SocketChange = Omit<Extract<MasterEvent, { event: 'controlSocketChanged' }>, 'event'>;

export interface ControlServer {
  /** The path of the socket, or the last one that it had. */
  readonly path: string;
  /** The descriptor of the socket, or null if it is closed, or no longer at its path. */
  fd(): number | null;
  /** Whether a request is being answered, other than one whose answer may take long. */
  isAnswering(): boolean;
  /** Makes the socket again if it was removed. Does not reject: `onChange` reports the result. */
  restore(): Promise<void>;
  /**
   * Ends all answers and event streams, removes the socket, and resolves within half a second. A client that waits for the end of a stop takes this as
   * that end, so it is called last. A second call returns the same promise. Never rejects.
   */
  close(): Promise<void>;
}

/** A control socket that is open already. `fd`: null if it was lost, and then it is made again. */
export interface InheritedControl {
  readonly path: string;
  readonly fd: number | null;
}

export interface ControlServerOptions {
  readonly name: string;
  /** The folders that the socket may be in, best first: the first usable one is taken. */
  readonly folders: readonly string[];
  readonly commands: Commands;
  /** Waits for a master that has the name and is stopping. Default: it is not waited for, and the name counts as taken. */
  readonly wait?: WaitForHolder;
  /** Whether the server keeps the process alive, even if nothing else does: programs can be started over it. Default false. */
  readonly keepsAlive?: boolean;
  /** The socket that the previous image of this process has opened; null or missing if there is none. */
  readonly inherited?: InheritedControl | null;
  /** Called when the socket is lost, made again, left behind at the end, or in a folder that is not the best one. */
  readonly onChange: (change: SocketChange) => void;
}

// An `import` of node:http would load all of its lazy parts too: 13 MB in the master.
const http = process.getBuiltinModule('node:http');

/** How long clients may take to read their last answer when the server closes. */
const farewellMs = 500;
/** How long to wait before the socket is made again, so that whatever removes its folder can finish first. */
const restoreDelayMs = 500;
/** The longest such wait. It gets longer if the socket is removed again and again. */
const longestRestoreDelayMs = 30_000;

/**
 * Opens the control socket of the program `name`. Without `keepsAlive` it does not keep the process alive: the master then lives as long as its workers,
 * and not as long as a client could ask for them.
 * @throws GracefulRunError badOption (not a name), controlSocketUnusable (in none of the folders), nameTaken.
 */
export async function openControlServer(options: ControlServerOptions): Promise<ControlServer> {
  if (!isProgramName(options.name)) {
    throw new GracefulRunError(
      'badOption',
      `cannot use the name ${JSON.stringify(options.name)}: it is not a file name`,
      {
        hint: `a name has ${programNameRule}`,
      },
    );
  }
  const { name, folders, keepsAlive = false, onChange } = options;
  const open = new Set<ServerResponse>();
  /** Those of them that may take long. */
  const lasting = new WeakSet<ServerResponse>();
  const makeServer = (): Server => createServer(options.commands, open, lasting);
  let place =
    options.inherited?.fd == null
      ? await openInOneOf(options, makeServer)
      : await takeOver(options.inherited.path, options.inherited.fd, makeServer(), keepsAlive);
  if (place.problems.length > 0)
    onChange({ change: 'elsewhere', control: place.claim.path, problem: place.problems.join('; ') });
  let stopWatching = (): void => undefined;
  let timer: NodeJS.Timeout | undefined;
  let delayMs = restoreDelayMs;
  let lastLossAt = -Infinity;
  let saidLost: string | null = null;
  let restoring: Promise<void> | null = null;
  let closed: Promise<void> | null = null;

  function watch(): void {
    stopWatching();
    stopWatching = watchFolder(dirname(place.claim.path), () => {
      if (timer !== undefined || closed !== null || place.claim.isHeld()) return;
      const now = performance.now();
      if (now - lastLossAt > 2 * longestRestoreDelayMs) delayMs = restoreDelayMs;
      lastLossAt = now;
      timer = setTimeout(() => {
        timer = undefined;
        delayMs = Math.min(longestRestoreDelayMs, delayMs * 2);
        void restore();
      }, delayMs);
      timer.unref();
    });
  }

  async function restore(): Promise<void> {
    if (closed !== null || place.claim.isHeld()) return;
    await (restoring ??= makeAgain().finally(() => {
      restoring = null;
    }));
  }

  async function makeAgain(): Promise<void> {
    const lost = place;
    try {
      // If another master has taken the name in the meantime, this one does not wait for it.
      place = await openInOneOf({ name, folders, keepsAlive }, makeServer);
      // No new client can reach the old server; its open connections stay open.
      lost.server.close();
      watch();
      saidLost = null;
      onChange({ change: 'restored', control: place.claim.path, problem: place.problems.join('; ') || null });
    } catch (error) {
      const problem = messageOf(error);
      // Every further change in the directory causes another attempt: the same reason is not reported twice.
      if (problem !== saidLost) onChange({ change: 'lost', control: lost.claim.path, problem });
      saidLost = problem;
    }
  }

  async function close(): Promise<void> {
    clearTimeout(timer);
    stopWatching();
    await restoring;
    const problem = place.claim.release();
    if (problem !== null) onChange({ change: 'left', control: place.claim.path, problem });
    const drained = new Promise<void>((resolve) => {
      place.server.close(() => {
        resolve();
      });
    });
    // Requests that were settled in this turn of the event loop still get their proper answer.
    await new Promise((resolve) => setImmediate(resolve));
    for (const response of open) {
      if (response.headersSent) response.end();
      else answerMasterStopped(response);
    }
    const farewell = Promise.all([drained, ...[...open].map((response) => ended(response))]);
    let timeout: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timeout = setTimeout(() => {
        place.server.closeAllConnections();
        for (const response of open) response.destroy();
        resolve();
      }, farewellMs);
    });
    await Promise.race([farewell, bound]);
    clearTimeout(timeout);
  }

  watch();
  return {
    get path() {
      return place.claim.path;
    },
    // A socket that was lost is made again, under whatever path.
    fd: () => (place.claim.isHeld() ? handleDescriptor(place.server) : null),
    isAnswering: () => [...open].some((response) => !lasting.has(response)),
    restore,
    close: () => (closed ??= close()),
  };
}

interface Place {
  readonly claim: Claim;
  readonly server: Server;
  /** What is wrong with the folders that were tried before this one. */
  readonly problems: readonly string[];
}

/** Serves on a socket that is open already. */
async function takeOver(path: string, fd: number, server: Server, keepsAlive: boolean): Promise<Place> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ fd }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', () => undefined);
  if (!keepsAlive) server.unref();
  return { claim: claimHeld(path), server, problems: [] };
}

async function openInOneOf(
  {
    name,
    folders,
    wait,
    keepsAlive = false,
  }: Pick<ControlServerOptions, 'name' | 'folders' | 'wait' | 'keepsAlive'>,
  makeServer: () => Server,
): Promise<Place> {
  const { result, problems } = await inUsableFolder(folders, async (folder) => {
    const server = makeServer();
    try {
      makeFolder(folder, process.geteuid?.() ?? 0);
      const claim = await claimSocket(server, join(folder, controlFile(name)), wait);
      server.on('error', () => undefined);
      if (!keepsAlive) server.unref();
      return { claim, server };
    } catch (error) {
      server.close();
      throw error;
    }
  });
  return { ...result, problems };
}

function createServer(
  commands: Commands,
  open: Set<ServerResponse>,
  lasting: WeakSet<ServerResponse>,
): Server {
  const connections = createConnections();
  const server = http.createServer(withoutChecks, (request, response) => {
    if (!connections.isFirst(request.socket)) return;
    open.add(response);
    response.once('close', () => open.delete(response));
    void handleRequest(request, response, commands, (kind) => {
      connections.keep(request.socket, kind);
      lasting.add(response);
    });
  });
  server.on('connection', (socket) => {
    connections.add(socket);
  });
  return server;
}

/** Resolves when nothing more is written to the response. */
function ended(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.closed) resolve();
    else response.once('close', resolve);
  });
}
