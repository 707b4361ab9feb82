/** Memory and wake-ups of the processes that stay during a reload, while nothing happens. */
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/shared/errors.ts';
import type { PeerEffort } from '../effort.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { outcomeOf, type Outcome } from '../peers/rounds.ts';
import { residentBytes, wakeUpsOf } from '../proc.ts';

export interface IdleTurn {
  readonly memoryBytes: number;
  readonly wakeUps: number;
  readonly windowMs: number;
}

/** Measures all tools at the same time: idle processes do not disturb each other. */
export async function measureIdle(
  tools: readonly Tool[],
  { turns, workers, settleMs, idleMs }: PeerEffort,
): Promise<readonly Outcome<IdleTurn>[]> {
  const figures = new Map<Tool, IdleTurn[]>(tools.map((tool) => [tool, []]));
  const problems = new Map<Tool, string>();
  for (let turn = 0; turn < turns; turn += 1) {
    console.error(`idle, turn ${turn + 1}: all`);
    const started: (readonly [Tool, RunningTool])[] = [];
    try {
      for (const tool of tools) {
        if (problems.has(tool)) continue;
        try {
          started.push([tool, await tool.start({ workers })]);
        } catch (error) {
          problems.set(tool, messageOf(error));
        }
      }
      await pause(settleMs);
      const before = started.map(([, running]) => wakeUps(running));
      await pause(idleMs);
      for (const [at, [tool, running]] of started.entries()) {
        figures.get(tool)?.push({
          memoryBytes: sum(running.masterPids().map(residentBytes)),
          wakeUps: wakeUps(running) - (before[at] ?? NaN),
          windowMs: idleMs,
        });
      }
    } finally {
      await Promise.all(started.map(([, running]) => running.stop()));
    }
  }
  return tools.map((tool) => outcomeOf(tool, figures, problems));
}

function wakeUps({ masterPids }: RunningTool): number {
  return sum(masterPids().map(wakeUpsOf));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
