/**
 * Ends a cluster (node:cluster) that the application runs inside this worker. Its processes hold the connections and have no preload, so
 * all that can be done is to ask them to finish and wait for them.
 */
import type { Cluster } from 'node:cluster';

/** Asks the processes of the cluster to end. Resolves when they have exited, or at once if there are none. */
export async function endOwnCluster(): Promise<void> {
  // The cast is needed because the type describes the ES module, and this is the cluster itself, as `require` returns it.
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster;
  if (!cluster.isPrimary) return;
  const processes = Object.values(cluster.workers ?? {}).filter((one) => one !== undefined);
  // Waits for their exit, not for their disconnection: after that they still answer requests in flight.
  const ended = processes.map((one) => new Promise((resolve) => one.once('exit', resolve)));
  if (processes.length > 0) cluster.disconnect();
  await Promise.all(ended);
}
