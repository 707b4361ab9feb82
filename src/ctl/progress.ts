/** What a command that waits shows on a terminal meanwhile: how far the reload is, and what a stop or a drain still waits for. */
import { routes } from '../shared/control-api.ts';
import { followControl } from '../shared/control-client.ts';
import { count, describeOpen } from '../shared/counts.ts';
import { createLineSplitter } from '../shared/line-splitter.ts';
import { describe } from '../shared/describe-event.ts';
import { formatDuration } from '../shared/durations.ts';
import type { EventRecord } from '../shared/events.ts';
import { parseJson } from '../shared/schemas/answer-schemas.ts';
import type { FoundMaster } from './find-master.ts';
import { readEventRecord } from '../shared/schemas/event-schemas.ts';
import type { Terminal } from './output-streams.ts';

/**
 * Carries `action` out, and on a terminal follows the master's events while it lasts: from before it begins, so that none of its own
 * is missed. It goes on without them if they cannot be had.
 */
export async function showingProgress<Result>(
  master: FoundMaster,
  terminal: Terminal,
  action: () => Promise<Result>,
): Promise<Result> {
  if (!terminal.isInteractive) return action();
  const ending = new AbortController();
  const splitter = createLineSplitter();
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const following = followControl(
    { path: master.path, method: 'GET', route: routes.events, signal: ending.signal },
    (text) => {
      for (const line of splitter.add(text)) {
        const progress = renderProgress(line);
        if (progress !== null) terminal.err(`${terminal.errStyles.dim(progress)}\n`);
      }
      return true;
    },
    () => {
      begin();
    },
  );
  try {
    await Promise.race([begun, following]);
    return await action();
  } finally {
    ending.abort();
    await following;
  }
}

/** The words for one line of the events; null for what is no progress. */
export function renderProgress(line: string): string | null {
  const event = readEventRecord(parseJson(line));
  return event === null ? null : progressOf(event);
}

function progressOf(event: EventRecord): string | null {
  if (event.event === 'stillDraining') return waitsFor(event);
  if (event.event === 'generationStarted' || event.event === 'workerNotReadyYet') return describe(event);
  if (event.event === 'reloadRequested' && event.pending) return describe(event);
  if (event.event === 'generationReady' && event.probationMs > 0)
    return `generation ${event.generation} is on probation for ${formatDuration(event.probationMs)}`;
  return null;
}

function waitsFor(event: Extract<EventRecord, { event: 'stillDraining' }>): string {
  const { workers, leftMs, stopping } = event;
  const open = describeOpen({ ...event, isCleaningUp: (event.cleaningUp ?? 0) > 0 });
  const what = `${count(workers, 'worker')}${open === null ? '' : ` with ${open}`}`;
  const more = stopping ? '; gracefulctl stop again stops at once' : '';
  return `waiting for ${what}, for ${Math.ceil(leftMs / 1_000)}s at most${more}`;
}
