/**
 * Stands between "listens" and "ready" where the master wants to know more: a bundle of its own (bundle.ts), for few masters do.
 * Owns which server is asked, and begins and ends the asking. It must not know how a server is asked.
 */
import type net from 'node:net';
import type { HealthOrder } from '../../shared/protocol.ts';
import type { InContextOf } from './inject.ts';
import { proveHealth } from './prove-health.ts';

export interface HealthGateParts {
  readonly order: HealthOrder;
  /** The declared port that is asked. */
  readonly port: number;
  /** Calls `action` as Node.js does when the server has something to say. */
  readonly inContextOf: InContextOf;
  /** Why it is not ready yet. */
  readonly notReadyYet: (reason: string) => void;
  /** Called once, unless `stop` was called before. */
  readonly passed: () => void;
}

export interface HealthGate {
  /** A server that has been told to listen. */
  track(server: net.Server): void;
  /** The worker listens: from now on it is asked. */
  begin(): void;
  /** Nobody wants to know any more. */
  stop(): void;
}

/** As much of a reason as a message takes. */
const reasonLength = 500;

export function createHealthGate(
  { order, port, inContextOf, notReadyYet, passed }: HealthGateParts,
  prove: typeof proveHealth = proveHealth,
): HealthGate {
  const servers = new Set<net.Server>();
  const stopped = new AbortController();
  let isOver = false;
  let told: string | null = null;

  function report(reason: string): void {
    if (reason === told) return;
    told = reason;
    notReadyYet(reason.slice(0, reasonLength));
  }

  async function ask(): Promise<void> {
    try {
      const server = (): net.Server | null => [...servers].find((one) => portOf(one) === port) ?? null;
      const isHealthy = await prove({ order, port, inContextOf, server, report, stopped: stopped.signal });
      isOver = true;
      servers.clear();
      if (isHealthy) passed();
    } catch (error) {
      report(`its health cannot be asked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  return {
    track(server) {
      if (!isOver) servers.add(server);
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
