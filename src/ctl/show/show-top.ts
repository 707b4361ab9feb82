/** `gracefulctl top` and `status --watch`: show the programs, drawn again every second; without a terminal, once. */
import { setTimeout as delay } from 'node:timers/promises';
import { count } from '../../shared/count-words.ts';
import { renderError } from '../../shared/render-error.ts';
import type { Request } from '../command-line.ts';
import { type ExitCode, exitCodeOf, exitCodes, worstOf } from '../ctl-exit-codes.ts';
import { hasScreen, screenSize, showLive } from '../live-screen.ts';
import { choosePrograms } from '../masters/choose.ts';
import type { FoundProgram } from '../masters/select-programs.ts';
import type { Selection } from '../masters/selection.ts';
import type { Terminal } from '../output-streams.ts';
import { lookAtProcesses, type Usage, usageOf } from './process-usage.ts';
import { type Sample, showStatus } from './show-status.ts';
import type { Rates } from './status-view.ts';
import { renderTop, type TopProgram } from './top-view.ts';

/** The time between the two samples of one picture. */
const apartMs = 1_000;

interface TopSample extends Sample {
  readonly missing: Selection<FoundProgram>['missing'];
}

/**
 * Shows the picture until the user ends it. A word that names nothing, or a master that does not answer, is reported and decides the exit code.
 * @throws GracefulRunError if there is nothing to show at first.
 */
export async function showTop(
  request: Request,
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  let before = await takeSample(request);
  const isLive = hasScreen() && !json;
  if (!isLive) await delay(apartMs);
  let now = isLive ? before : await takeSample(request);
  if (json) {
    terminal.out(
      programsOf(before, now)
        .map((program, index) => jsonLine(program, now.found[index]))
        .join(''),
    );
    return reportMissing(now, terminal);
  }
  const picture = (columns: number | null, rows: number | null): string => {
    const programs = programsOf(before, now);
    const workers = programs.reduce((sum, { status }) => sum + status.workers.length, 0);
    const title = `${count(programs.length, 'program')}, ${count(workers, 'worker')}${isLive ? '; q: quit' : ''}`;
    const problems = isLive ? now.missing.map(({ error }) => error.message) : [];
    return renderTop(programs, { columns, rows, styles: terminal.styles, title, problems });
  };
  if (!isLive) {
    terminal.out(picture(terminal.columns, null));
    return reportMissing(now, terminal);
  }
  let isFirst = true;
  await showLive(async ({ columns, rows }, signal) => {
    try {
      if (!isFirst) {
        const next = await takeSample(request, signal);
        // The sample was aborted, so it lacks masters that run.
        if (signal.aborted) return '';
        if (isLater(next, now)) before = now;
        now = next;
      }
      isFirst = false;
      return picture(columns, rows);
    } catch (error) {
      return renderError(error, 'gracefulctl');
    }
  });
  return exitCodeFor(now);
}

/** Whether the samples are far enough apart: a resize draws again at once, and two samples that are close together show nothing. */
function isLater(next: Sample, last: Sample | null): boolean {
  return last !== null && next.look.atMs - last.look.atMs >= apartMs / 2;
}

function reportMissing(sample: TopSample, terminal: Terminal): ExitCode {
  for (const { error } of sample.missing) terminal.err(`${renderError(error, 'gracefulctl')}\n`);
  return exitCodeFor(sample);
}

function exitCodeFor({ missing }: TopSample): ExitCode {
  return worstOf(missing.map(({ error }) => exitCodeOf(error)));
}

/**
 * Shows the same as showStatus() again and again, with the load of Node.js workers. Without a terminal, shows it once and without the load, which
 * takes two samples.
 */
export async function watchStatus(request: Request, terminal: Terminal): Promise<ExitCode> {
  if (!hasScreen()) return showStatus(request, { json: false, asTable: false }, terminal);
  let code: ExitCode = exitCodes.done;
  let before: Sample | null = null;
  let now: Sample | null = null;
  const measure = (next: Sample): ReadonlyMap<number, Rates> => {
    if (isLater(next, now)) before = now;
    now = next;
    return programsOf(before ?? next, next)[0]?.workerRates ?? new Map<number, Rates>();
  };
  const take = async (columns: number, signal?: AbortSignal): Promise<string> => {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const taken = await showStatus(
      request,
      { json: false, asTable: false, measure, signal },
      { ...terminal, out: write, err: write, columns },
    );
    if (signal?.aborted !== true) code = taken;
    return text;
  };
  let first: string | null = await take(screenSize().columns);
  await showLive(async ({ columns }, signal) => {
    const ready = first;
    first = null;
    try {
      return ready ?? (await take(columns, signal));
    } catch (error) {
      return renderError(error, 'gracefulctl');
    }
  });
  return code;
}

async function takeSample(request: Request, signal?: AbortSignal): Promise<TopSample> {
  const { found, missing } = await choosePrograms(request, 'any', { hasLoad: true, signal });
  const [first] = missing;
  if (found.length === 0 && first !== undefined) throw first.error;
  return { look: lookAtProcesses(), found, missing };
}

function programsOf(before: Sample, now: Sample): readonly TopProgram[] {
  const seconds = (now.look.atMs - before.look.atMs) / 1_000;
  return now.found.map(({ label, status, master }) => {
    const known = before.found.find((one) => one.master.path === master.path && one.label === label)?.status;
    const workerUsage = new Map<number, Usage>();
    const workerRates = new Map<number, Rates>();
    for (const worker of status.workers) {
      const { pid } = worker;
      if (pid === null) continue;
      const usage = usageOf({ master: status.master, workers: [worker] }, before.look, now.look);
      if (usage !== null) workerUsage.set(pid, usage);
      const old = known?.workers.find((one) => one.pid === pid) ?? null;
      const rates = ratesOf(old?.load ?? null, worker.load, seconds);
      if (rates !== null) workerRates.set(pid, rates);
    }
    return {
      label,
      status,
      usage: usageOf(status, before.look, now.look),
      workerUsage,
      rates: workerRates.size === 0 ? null : ratesOf(known?.load ?? null, status.load, seconds),
      workerRates,
    };
  });
}

interface Served {
  readonly served: number;
  readonly serverErrors: number;
}

/** Returns the rates between two samples; null if the load was not known at one of the two moments. */
function ratesOf(before: Served | null, now: Served | null, seconds: number): Rates | null {
  if (before === null || now === null || seconds <= 0) return null;
  return {
    requests: Math.max(0, now.served - before.served) / seconds,
    errors: Math.max(0, now.serverErrors - before.serverErrors) / seconds,
  };
}

function jsonLine({ usage, rates }: TopProgram, found: FoundProgram | undefined): string {
  const { memoryBytes = null, cpuPercent = null } = usage ?? {};
  const { requests = null, errors = null } = rates ?? {};
  const facts = { memoryBytes, cpuPercent, requestsPerSecond: requests, errorsPerSecond: errors };
  return `${JSON.stringify({ ...found?.raw, ...facts })}\n`;
}
