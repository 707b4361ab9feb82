/** What the paced client (paced.ts) is told, and what it answers. */

export interface PacedOrder {
  readonly port: number;
  readonly clients: number;
  /** Each client is due every so often; they are spread evenly. */
  readonly everyMs: number;
  readonly durationMs: number;
}

export interface PacedReport {
  /** Milliseconds from when a request was due to its whole answer; only those that were answered. */
  readonly latencies: readonly number[];
  readonly failed: number;
}
