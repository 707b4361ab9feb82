/**
 * What the master is told of a worker's load when it asks. Counts failed responses from the moment this bundle is compiled, 50 ms after admission;
 * the event-loop delay is measured only while there are questions, because that takes a timer.
 */
import type net from 'node:net';
import type { WorkerLoad } from '../../shared/protocol.ts';
import { isInjected } from './in-memory-mark.ts';

export interface LoadMeter {
  /** Responses with a status of 500 to 599. */
  serverErrors(): number;
  /** Since the last question that came at least a second after the one before it; null for what was not measured then. */
  eventLoop(): WorkerLoad['eventLoop'];
}

/** Of the histogram of delays. Its timer fires so often while it is enabled. */
const resolutionMs = 20;
/** Questions that are closer together get the same: the histogram needs two shots of its timer, and a second asker is to see what the first one saw. */
const leastWindowMs = 1_000;
/** Without a question for this long, the delay is no longer measured. */
const forgottenAfterMs = 150_000;

interface ResponseFinished {
  readonly response: { readonly statusCode: number };
  readonly socket: net.Socket;
}

interface StreamFinished {
  readonly stream: { readonly sentHeaders?: Readonly<Record<string, unknown>> };
}

// As they were before the application could replace them.
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
    // Most responses are none, so the cheaper question comes first.
    if (isServerError(response.statusCode) && !isInjected(socket)) serverErrors += 1;
  });
  // Versions of Node.js that do not have this channel do not count the errors of HTTP/2.
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
      // The histogram has the time from one shot of the timer to the next.
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
