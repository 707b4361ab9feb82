/** Has every tool measured in turns, so that whatever slows the machine for a while slows all of them. It must not know what. */
import { messageOf } from '../../src/shared/errors.ts';
import { signalTree } from '../proc.ts';
import type { RunningTool, StartTool, Tool } from './tool.ts';

/** What was measured of a tool, once for each turn; or why it was not. */
export type Outcome<Figures> = { readonly tool: string } & (
  { readonly turns: readonly Figures[] } | { readonly missing: string }
);

export interface MeasureOptions<Figures> extends StartTool {
  readonly name: string;
  readonly tools: readonly Tool[];
  readonly turns: number;
  /** Called with a tool that has just been started, and is ended afterwards. */
  readonly measure: (running: RunningTool, tool: Tool) => Promise<Figures>;
}

/** Starts every tool in each turn; the order changes, so that no tool always follows the same other one. */
export async function inTurns<Figures>(
  options: MeasureOptions<Figures>,
): Promise<readonly Outcome<Figures>[]> {
  const { name, tools, turns } = options;
  const figures = new Map<Tool, Figures[]>(tools.map((tool) => [tool, []]));
  const problems = new Map<Tool, string>();
  for (let turn = 0; turn < turns; turn += 1) {
    const order = turn % 2 === 0 ? tools : [...tools].reverse();
    for (const tool of order) {
      if (problems.has(tool)) continue;
      console.error(`${name}, turn ${turn + 1}: ${tool.name}`);
      try {
        figures.get(tool)?.push(await measureOnce(tool, options));
      } catch (error) {
        problems.set(tool, messageOf(error));
        console.error(`  ${messageOf(error)}`);
      }
    }
  }
  return tools.map((tool) => outcomeOf(tool, figures, problems));
}

/** What there is of a tool: its figures, or what went wrong. */
export function outcomeOf<Figures>(
  tool: Tool,
  figures: ReadonlyMap<Tool, readonly Figures[]>,
  problems: ReadonlyMap<Tool, string>,
): Outcome<Figures> {
  const problem = problems.get(tool);
  return problem === undefined
    ? { tool: tool.name, turns: figures.get(tool) ?? [] }
    : { tool: tool.name, missing: problem };
}

/** No measure of one tool takes as long when nothing hangs. */
const tooLongMs = 180_000;

async function measureOnce<Figures>(tool: Tool, options: MeasureOptions<Figures>): Promise<Figures> {
  const { workers, webSockets = false, measure } = options;
  const running = await tool.start({ workers, webSockets });
  const abandon = setTimeout(() => {
    // Whoever hangs would hang the whole run: without its processes every wait for it ends.
    for (const pid of [...running.masterPids, ...running.workerPids()]) signalTree(pid, 'SIGKILL');
  }, tooLongMs);
  try {
    return await measure(running, tool);
  } finally {
    clearTimeout(abandon);
    await running.stop();
  }
}
