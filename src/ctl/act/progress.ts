/** Shows the progress on a terminal while a command waits: how far the reload is, and what a stop, a drain or an upgrade still waits for. */
import { routes } from '../../shared/control-api.ts';
import { followControl } from '../../shared/control-client.ts';
import { count, describeOpen } from '../../shared/count-words.ts';
import { createLineSplitter } from '../../shared/line-splitter.ts';
import { printable } from '../../shared/printable.ts';
import { describe } from '../../shared/describe-event.ts';
import { formatDuration } from '../../shared/durations.ts';
import type { EventRecord } from '../../shared/events.ts';
import { parseJson } from '../../shared/schemas/answer-schemas.ts';
import type { FoundMaster } from '../masters/find-masters.ts';
import { readEventRecord } from '../../shared/schemas/event-schemas.ts';
import type { Terminal } from '../output-streams.ts';

/** The programs of a master whose events are shown. */
export interface Watched {
  readonly master: FoundMaster;
  /** The names of the programs; null for all programs of the master. */
  readonly programs: readonly string[] | null;
}

/**
 * Carries out `action`, and on a terminal follows the masters' events meanwhile. It begins to follow before `action` begins, so that no event of the
 * action is missed. If the events are not available, the action is carried out without them.
 */
export async function showingProgress<Result>(
  watched: readonly Watched[],
  terminal: Terminal,
  action: () => Promise<Result>,
): Promise<Result> {
  if (!terminal.isInteractive) return action();
  const ending = new AbortController();
  const isOne = watched.length === 1 && watched[0]?.programs?.length === 1;
  const followed = watched.map((one) => follow(one, isOne, terminal, ending.signal));
  try {
    await Promise.all(followed.map(({ begun }) => begun));
    return await action();
  } finally {
    ending.abort();
    await Promise.all(followed.map(({ ended }) => ended));
  }
}

/** Follows the events. `begun` resolves when no event can be missed any more, or when events are not available. */
function follow(
  { master, programs }: Watched,
  isOne: boolean,
  terminal: Terminal,
  signal: AbortSignal,
): { readonly begun: Promise<unknown>; readonly ended: Promise<unknown> } {
  const splitter = createLineSplitter();
  let begin = (): void => undefined;
  const begins = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = followControl(
    { path: master.path, method: 'GET', route: routes.events, signal },
    (text) => {
      for (const line of splitter.add(text)) {
        const progress = renderProgress(line);
        if (progress === null || (programs !== null && !programs.includes(progress.program))) continue;
        const text = isOne ? progress.text : `${printable(progress.program)}: ${progress.text}`;
        terminal.err(`${terminal.errStyles.dim(text)}\n`);
      }
      return true;
    },
    () => {
      begin();
    },
  );
  return { begun: Promise.race([begins, ended]), ended };
}

/** Returns the text for one line of the event stream, and the program that it is about; null if the event is not about progress. */
export function renderProgress(line: string): { readonly program: string; readonly text: string } | null {
  const event = readEventRecord(parseJson(line));
  const text = event === null ? null : progressOf(event);
  return event === null || text === null ? null : { program: event.program, text };
}

function progressOf(event: EventRecord): string | null {
  if (event.event === 'stillDraining') return waitsFor(event);
  if (
    event.event === 'generationStarted' ||
    event.event === 'workerNotReadyYet' ||
    event.event === 'rolloutAdvanced' ||
    event.event === 'upgradeWaits'
  )
    return describe(event);
  if (event.event === 'reloadRequested' && event.pending) return describe(event);
  if (event.event === 'generationReady' && event.probationMs > 0)
    return `generation ${event.generation} is on probation for ${formatDuration(event.probationMs)}`;
  return null;
}

function waitsFor(event: Extract<EventRecord, { event: 'stillDraining' }>): string {
  const { workers, leftMs, stopping } = event;
  const open = describeOpen({ ...event, isCleaningUp: (event.cleaningUp ?? 0) > 0 });
  const what = `${count(workers, 'worker')}${open === null ? '' : ` with ${open}`}`;
  const more = stopping ? '; the same gracefulctl stop or shutdown again stops at once' : '';
  return `waiting for ${what}, for at most ${Math.ceil(leftMs / 1_000)}s${more}`;
}
