/**
 * Delays readiness until the worker answers its health path, if the master asks for that, and requests that path again when the master wants to know: chooses
 * the server, and starts and stops the requests. A bundle of its own (bundle.ts), because most workers do without.
 */
import type net from 'node:net';
import type { HealthOrder } from '../../shared/protocol.ts';
import type { InContextOf } from './inject.ts';
import { askOnce, type HealthParts, proveHealth } from './prove-health.ts';

export interface HealthGateParts {
  readonly order: HealthOrder;
  /** The declared port whose server is requested; 0 if that server listens on a UNIX socket. */
  readonly port: number;
  /**
   * Whether the server listens on the listener of that port. Its address does not always show that: a candidate of `--check --run` has a socket on
   * another port instead.
   */
  readonly listensOnIt: (server: net.Server) => boolean;
  /** Calls `action` in the context in which Node.js calls the listeners of the server. */
  readonly inContextOf: InContextOf;
  /** Called with the reason why the worker is not ready yet. */
  readonly notReadyYet: (reason: string) => void;
  /** Called once when the worker is healthy, unless `stop` was called before. */
  readonly passed: () => void;
}

export interface HealthGate {
  /** Call it for every server that has been told to listen. */
  track(server: net.Server): void;
  /** Starts the requests. Call it when the worker listens. */
  begin(): void;
  /** Requests the path once more, and calls `then` with the reason why the worker is not healthy, or null if it is healthy. Never calls it after stop(). */
  check(then: (problem: string | null) => void): void;
  /** Stops the requests. Call it when the worker drains. */
  stop(): void;
}

/** A longer reason is cut to this length. */
const reasonLength = 500;

export function createHealthGate(
  { order, port, listensOnIt, inContextOf, notReadyYet, passed }: HealthGateParts,
  prove: typeof proveHealth = proveHealth,
): HealthGate {
  const servers = new Set<net.Server>();
  const stopped = new AbortController();
  let isOver = false;
  const parts: Omit<HealthParts, 'report'> = {
    order,
    port,
    inContextOf,
    server: () => [...servers].find((one) => portOf(one) === port || listensOnIt(one)) ?? null,
    stopped: stopped.signal,
  };
  let told: string | null = null;

  function report(reason: string): void {
    if (reason === told) return;
    told = reason;
    notReadyYet(reason.slice(0, reasonLength));
  }

  async function ask(): Promise<void> {
    try {
      const isHealthy = await prove({ ...parts, report });
      isOver = true;
      if (isHealthy) passed();
    } catch (error) {
      report(`its health cannot be asked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  return {
    track(server) {
      // An application that opens and closes servers for as long as it runs must not keep all of them.
      if (isOver) for (const one of servers) if (!one.listening) servers.delete(one);
      servers.add(server);
    },
    check(then) {
      askOnce({ ...parts, report: () => undefined }).then(
        (problem) => {
          then(problem === null ? null : problem.slice(0, reasonLength));
        },
        (error: unknown) => {
          if (!stopped.signal.aborted) then(String(error).slice(0, reasonLength));
        },
      );
    },
    begin() {
      void ask();
    },
    stop() {
      stopped.abort();
    },
  };
}

function portOf(server: net.Server): number | null {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : null;
}
