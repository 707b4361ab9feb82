/** `gracefulctl status`: asks once and prints. */
import { routes } from '../shared/control-api.ts';
import { readAnswer, status as statusShape } from './answers.ts';
import { ask, promptMs } from './ask-master.ts';
import type { FoundMaster } from './find-master.ts';
import { renderStatus } from './status-table.ts';
import type { Terminal } from './terminal.ts';

/** Prints the status as a table, or as the JSON that the master answered with. */
export async function showStatus(
  master: FoundMaster,
  options: { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const request = { path: master.path, method: 'GET', route: routes.status, timeoutMs: promptMs } as const;
  const { body } = await ask('show the status', request, [200]);
  const status = readAnswer(statusShape, body);
  terminal.out(options.json ? body : renderStatus(status, Date.now(), terminal.styles));
}
