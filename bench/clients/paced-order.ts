/** The messages to and from the paced client (paced.ts). */

export interface PacedOrder {
  readonly port: number;
  readonly clients: number;
  /** The interval between the requests of one client; the clients are spread evenly over it. */
  readonly everyMs: number;
  readonly durationMs: number;
}

export interface PacedReport {
  /** Milliseconds from when a request was due to its complete response; only requests with a response. */
  readonly latencies: readonly number[];
  readonly failed: number;
}
