/** `gracefulctl upgrade`: replaces graceful-run and Node.js in a running master. */
import { askToUpgrade, type Upgraded } from '../../shared/ask-to-upgrade.ts';
import type { FoundMaster } from '../masters/find-masters.ts';
import type { Achieved } from './command-report.ts';

/** Resolves when the new version of the master answers. @throws GracefulRunError upgradeFailed. */
export async function upgrade({ path }: FoundMaster): Promise<Achieved> {
  const result = await askToUpgrade('upgrade', { path });
  return { state: 'upgraded', result, text: `${describeUpgrade(result)}; its programs kept running` };
}

/** Says which of the versions have changed. */
export function describeUpgrade({ from, version, nodeFrom, node }: Upgraded): string {
  const changes = [
    ...(from === version ? [] : [`graceful-run ${from} to ${version}`]),
    ...(nodeFrom === node ? [] : [`Node.js ${nodeFrom} to ${node}`]),
  ];
  return changes.length === 0
    ? `replaced by the same versions, graceful-run ${version} and Node.js ${node}`
    : `upgraded from ${changes.join(', ')}`;
}
