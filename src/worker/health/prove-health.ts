/** Requests the health path of this worker until the response has a status of 200–399, and then warms the worker up with further requests. */
import type net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { formatDuration } from '../../shared/durations.ts';
import type { HealthOrder } from '../../shared/protocol.ts';
import { nextTurn } from '../process/next-turn.ts';
import { createInjector, type InContextOf } from './inject.ts';
import { limitTime } from './time-limit.ts';

export interface HealthParts {
  readonly order: HealthOrder;
  /** The declared port whose server is requested. */
  readonly port: number;
  readonly inContextOf: InContextOf;
  /** The server that listens on it now; null if none does. */
  readonly server: () => net.Server | null;
  /** Called with the reason why the worker is not healthy yet. */
  readonly report: (reason: string) => void;
  /** Aborted when the result is no longer needed. */
  readonly stopped: AbortSignal;
}

/** Appended to the status, because an HTTP/2 server without it answers 403. */
const overHttp1 = ' (over HTTP/1: an HTTP/2 server has to allowHTTP1)';

/** A response that takes longer than this counts as a failure. */
const answerMs = 5_000;
/** A response that takes longer than this is reported as outstanding. */
const slowMs = 500;

/** Resolves to true when the worker is healthy and warm, to false if `stopped` aborts first. */
export async function proveHealth(parts: HealthParts): Promise<boolean> {
  const { stopped, report } = parts;
  try {
    await askUntilHealthy({
      ask: () => askOnce(parts),
      pause: (ms) => pause(ms, undefined, { ref: false, signal: stopped }),
      report,
    });
    await warm(parts);
  } catch (error) {
    if (!stopped.aborted) throw error;
  }
  return !stopped.aborted;
}

/** Requests the path once. Resolves to null if the worker is healthy, otherwise to the reason why it is not. */
export async function askOnce({
  order: { path },
  port,
  inContextOf,
  server,
  report,
  stopped,
}: HealthParts): Promise<string | null> {
  const asked = server();
  if (asked === null) return `nothing listens on ${port} any more`;
  if (asked.constructor.name === 'Http2Server') {
    return `the server on ${port} speaks HTTP/2 alone, and its health can be asked over HTTP/1 only`;
  }
  const injector = createInjector(asked, port, inContextOf);
  const limit = limitTime(answerMs, stopped);
  const slow = setTimeout(report, slowMs, `GET ${path} has not been answered yet`).unref();
  try {
    const { signal } = limit;
    const status = await injector.ask({ path, userAgent: 'graceful-run (health check)', signal });
    if (status >= 200 && status < 400) return null;
    return `GET ${path} answered ${status}${asked.constructor.name === 'Http2SecureServer' ? overHttp1 : ''}`;
  } catch (error) {
    if (stopped.aborted) throw error;
    if (limit.isLate()) return `GET ${path} was not answered within ${formatDuration(answerMs)}`;
    return `GET ${path} was not answered: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    clearTimeout(slow);
    limit.lift();
    injector.close();
  }
}

async function warm({ order, port, inContextOf, server, stopped }: HealthParts): Promise<void> {
  const asked = server();
  if (order.warmup === 0 || asked === null) return;
  const limit = limitTime(warmUpBoundMs(order.readyTimeoutMs, performance.now()), stopped);
  const { signal } = limit;
  const injector = createInjector(asked, port, inContextOf);
  const question = { path: order.path, userAgent: 'graceful-run (warm-up)', signal };
  await warmUp(
    order.warmup,
    () => injector.ask(question),
    () => signal.aborted,
  );
  limit.lift();
  injector.close();
}

export interface Asking {
  /** Resolves to null if the worker is healthy, otherwise to the reason why it is not. */
  readonly ask: () => Promise<string | null>;
  readonly pause: (ms: number) => Promise<void>;
  readonly report: (reason: string) => void;
}

const firstPauseMs = 50;
const longestPauseMs = 1_000;

/** Calls `ask` until the worker is healthy, after growing pauses, and reports each reason. Rejects as soon as `ask` or `pause` does. */
export async function askUntilHealthy({ ask, pause, report }: Asking): Promise<void> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const reason = await ask();
    if (reason === null) return;
    report(reason);
    await pause(pauseMs);
  }
}

const longestWarmUpMs = 5_000;

/** How long warming up may take: half of the time that the master still waits, and at most 5 s. */
export function warmUpBoundMs(readyTimeoutMs: number, uptimeMs: number): number {
  return Math.max(0, Math.min(longestWarmUpMs, (readyTimeoutMs - uptimeMs) / 2));
}

/**
 * Sends `count` requests, one after the other, so that code is compiled and caches are filled before the first client connects. Resolves
 * early if `isOver`. Failures are ignored.
 */
export async function warmUp(
  count: number,
  ask: () => Promise<unknown>,
  isOver: () => boolean,
): Promise<void> {
  for (let asked = 0; asked < count && !isOver(); asked += 1) {
    try {
      await ask();
    } catch {
      // Ignored, because the next request may be answered.
    }
    // In between, the application's own timers and connections get their turn.
    await nextTurn();
  }
}
