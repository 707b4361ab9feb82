/**
 * Measures what the master is told of a worker's load when it asks. Counts failed responses from the moment this bundle is compiled, 50 ms after
 * admission; the event-loop delay is measured only while the master asks, because that takes a timer.
 */
import type net from 'node:net';
import type { WorkerLoad } from '../../shared/protocol.ts';
import { isInjected } from './in-memory-mark.ts';

export interface LoadMeter {
  /** Returns the number of responses with a status of 500 to 599. */
  serverErrors(): number;
  /**
   * Returns the load of the event loop since the last question that came at least a second after the one before it; null for values that were not
   * measured then.
   */
  eventLoop(): WorkerLoad['eventLoop'];
}

/** The resolution of the histogram of delays. While it is enabled, its timer fires this often. */
const resolutionMs = 20;
/** Questions within this time get the same answer: the histogram needs two shots of its timer, and a second asker should see what the first one saw. */
const leastWindowMs = 1_000;
/** If there is no question for this long, the delay is no longer measured. */
const forgottenAfterMs = 150_000;

interface ResponseFinished {
  readonly response: { readonly statusCode: number };
  readonly socket: net.Socket;
}

interface StreamFinished {
  readonly stream: { readonly sentHeaders?: Readonly<Record<string, unknown>> };
}

// The timer functions as they were before the application could replace them.
const { setTimeout, clearTimeout } = globalThis;

export function createLoadMeter(): LoadMeter {
  const diagnostics = process.getBuiltinModule('node:diagnostics_channel');
  const { performance, monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
  let serverErrors = 0;
  let before = performance.eventLoopUtilization();
  let windowBegan = performance.now();
  let delays: ReturnType<typeof monitorEventLoopDelay> | null = null;
  let forget: NodeJS.Timeout | undefined;

  const isServerError = (status: unknown): boolean =>
    typeof status === 'number' && status >= 500 && status < 600;
  // Proven dispatch: both are documented, and the channels are Node.js's own.
  diagnostics.subscribe('http.server.response.finish', (message) => {
    const { response, socket } = message as ResponseFinished;
    // Most responses have no such status, so the cheaper condition comes first.
    if (isServerError(response.statusCode) && !isInjected(socket)) serverErrors += 1;
  });
  // On versions of Node.js without this channel, errors of HTTP/2 are not counted.
  diagnostics.subscribe('http2.server.stream.finish', (message) => {
    if (isServerError((message as StreamFinished).stream.sentHeaders?.[':status'])) serverErrors += 1;
  });

  function measure(): typeof delays {
    clearTimeout(forget);
    forget = setTimeout(() => {
      delays?.disable();
      delays = null;
    }, forgottenAfterMs).unref();
    const known = delays;
    if (known === null) {
      delays = monitorEventLoopDelay({ resolution: resolutionMs });
      delays.enable();
    }
    return known;
  }

  return {
    serverErrors: () => serverErrors,
    eventLoop() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      const known = measure();
      const isMeasured = known !== null && known.count > 0;
      // The histogram contains the time from one shot of the timer to the next, so the resolution is subtracted.
      const delayMs = (nanoseconds: number): number | null =>
        isMeasured ? Math.max(0, Math.round(nanoseconds / 10_000) / 100 - resolutionMs) : null;
      const loop = {
        utilization: Math.round(utilization * 1_000) / 1_000,
        delayMeanMs: delayMs(known?.mean ?? 0),
        delayP99Ms: delayMs(known?.percentile(99) ?? 0),
        delayMaxMs: delayMs(known?.max ?? 0),
      };
      if (performance.now() - windowBegan >= leastWindowMs) {
        windowBegan = performance.now();
        before = now;
        known?.reset();
      }
      return loop;
    },
  };
}
