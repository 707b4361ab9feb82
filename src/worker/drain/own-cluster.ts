/**
 * A cluster (node:cluster) that the application runs inside this worker. Its processes are not ours: they hold the
 * connections, and have no preload. All that can be done is to ask them to finish, and to wait for them.
 */

import type { Cluster } from 'node:cluster';

/** Asks the application's own cluster to end; resolves when it has, at once when there is none. */
export async function endOwnCluster(): Promise<void> {
  // What require('node:cluster') gives is the cluster; the type describes the ES module.
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Cluster;
  if (!cluster.isPrimary) return;
  const processes = Object.values(cluster.workers ?? {}).filter((one) => one !== undefined);
  // Disconnected is not ended: they still answer what is in flight.
  const ended = processes.map((one) => new Promise((resolve) => one.once('exit', resolve)));
  if (processes.length > 0) cluster.disconnect();
  await Promise.all(ended);
}
