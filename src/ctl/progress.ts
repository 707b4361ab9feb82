/** What a command that waits shows on a terminal meanwhile: what the stop or the drain still waits for, as the master says it. */
import { routes } from '../shared/control-api.ts';
import { followControl } from '../shared/control-client.ts';
import { count, describeOpen } from '../shared/counts.ts';
import { createLineSplitter } from '../shared/line-splitter.ts';
import { parseJson } from './answer-schemas.ts';
import type { FoundMaster } from './find-master.ts';
import { readEventRecord } from './event-schemas.ts';
import type { Terminal } from './output-streams.ts';

/** Carries `action` out, and on a terminal follows the master's events while it lasts. Events that cannot be had are no error. */
export async function showingProgress<Result>(
  master: FoundMaster,
  terminal: Terminal,
  action: () => Promise<Result>,
): Promise<Result> {
  if (!terminal.isInteractive) return action();
  const ending = new AbortController();
  const splitter = createLineSplitter();
  const following = followControl(
    { path: master.path, method: 'GET', route: routes.events, signal: ending.signal },
    (text) => {
      for (const line of splitter.add(text)) {
        const progress = renderProgress(line);
        if (progress !== null) terminal.err(`${terminal.errStyles.dim(progress)}\n`);
      }
      return true;
    },
  );
  try {
    return await action();
  } finally {
    ending.abort();
    await following;
  }
}

/** The words for one line of the events; null for what is no progress. */
export function renderProgress(line: string): string | null {
  const event = readEventRecord(parseJson(line));
  if (event?.event !== 'stillDraining') return null;
  const { workers, leftMs, stopping } = event;
  const open = describeOpen({ ...event, isCleaningUp: (event.cleaningUp ?? 0) > 0 });
  const what = `${count(workers, 'worker')}${open === null ? '' : ` with ${open}`}`;
  const more = stopping ? '; gracefulctl stop again stops at once' : '';
  return `waiting for ${what}, for ${Math.ceil(leftMs / 1_000)}s at most${more}`;
}
