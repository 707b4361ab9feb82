/** Measures all tools in alternating rounds, so that a temporary slowdown of the machine affects all of them. */
import { messageOf } from '../../src/shared/errors.ts';
import { signalTree } from '../proc.ts';
import type { RunningTool, StartTool, Tool } from './tool.ts';

/** The figures of a tool, one for each round, or why there are none. */
export type Outcome<Figures> = { readonly tool: string } & (
  { readonly turns: readonly Figures[] } | { readonly missing: string }
);

export interface MeasureOptions<Figures> extends StartTool {
  readonly name: string;
  readonly tools: readonly Tool[];
  readonly turns: number;
  /** Called with a tool that was just started; the tool is stopped afterwards. */
  readonly measure: (running: RunningTool, tool: Tool) => Promise<Figures>;
}

/** Starts every tool in each round. */
export function startInRounds<Figures>(
  options: MeasureOptions<Figures>,
): Promise<readonly Outcome<Figures>[]> {
  const { name, tools, turns } = options;
  return inRounds(name, tools, turns, (tool) => measureOnce(tool, options));
}

/** Measures every tool in each round. The order changes, so that no tool always follows the same other one. */
export async function inRounds<Figures, Measured extends { readonly name: string }>(
  name: string,
  tools: readonly Measured[],
  turns: number,
  measure: (tool: Measured) => Promise<Figures>,
): Promise<readonly Outcome<Figures>[]> {
  const figures = new Map<Measured, Figures[]>(tools.map((tool) => [tool, []]));
  const problems = new Map<Measured, string>();
  for (let turn = 0; turn < turns; turn += 1) {
    const order = turn % 2 === 0 ? tools : [...tools].reverse();
    for (const tool of order) {
      if (problems.has(tool)) continue;
      console.error(`${name}, turn ${turn + 1}: ${tool.name}`);
      try {
        figures.get(tool)?.push(await measure(tool));
      } catch (error) {
        problems.set(tool, messageOf(error));
        console.error(`  ${messageOf(error)}`);
      }
    }
  }
  return tools.map((tool) => outcomeOf(tool, figures, problems));
}

/** The figures of a tool, or what went wrong. */
export function outcomeOf<Figures, Measured extends { readonly name: string }>(
  tool: Measured,
  figures: ReadonlyMap<Measured, readonly Figures[]>,
  problems: ReadonlyMap<Measured, string>,
): Outcome<Figures> {
  const problem = problems.get(tool);
  return problem === undefined
    ? { tool: tool.name, turns: figures.get(tool) ?? [] }
    : { tool: tool.name, missing: problem };
}

/** The time limit for measuring one tool: longer than any measurement takes, unless something hangs. */
const tooLongMs = 180_000;

async function measureOnce<Figures>(tool: Tool, options: MeasureOptions<Figures>): Promise<Figures> {
  const { workers, webSockets = false, measure } = options;
  const running = await tool.start({ workers, webSockets });
  const abandon = setTimeout(() => {
    // A tool that hangs would hang the whole run. Without its processes, every wait for it ends.
    for (const pid of [...running.masterPids(), ...running.workerPids()]) signalTree(pid, 'SIGKILL');
  }, tooLongMs);
  try {
    return await measure(running, tool);
  } finally {
    clearTimeout(abandon);
    await running.stop();
  }
}
