/** The time from a reload request to the first response of a new worker, and to the exit of the last old one, without other traffic. */
import type { PeerEffort } from '../effort.ts';
import { firstAnswer } from '../answers.ts';
import { allGone } from '../proc.ts';
import type { RunningTool, Tool } from '../peers/tool.ts';
import { startInRounds, type Outcome } from '../peers/rounds.ts';
import { median } from '../statistics.ts';

export interface TimingTurn {
  readonly firstAnswerMs: number;
  readonly oldGoneMs: number;
}

export function measureTiming(
  tools: readonly Tool[],
  { turns, workers, timedReloads }: PeerEffort,
): Promise<readonly Outcome<TimingTurn>[]> {
  return startInRounds({
    name: 'time of a reload',
    tools,
    turns,
    workers,
    async measure(running) {
      const times: TimingTurn[] = [];
      for (let done = 0; done < timedReloads; done += 1) times.push(await timeReload(running));
      return {
        firstAnswerMs: median(times.map((time) => time.firstAnswerMs)),
        oldGoneMs: median(times.map((time) => time.oldGoneMs)),
      };
    },
  });
}

const patienceMs = 30_000;

async function timeReload(running: RunningTool): Promise<TimingTurn> {
  const old = running.workerPids();
  const startedAt = performance.now();
  const since = (): number => performance.now() - startedAt;
  const [, firstAnswerMs, oldGoneMs] = await Promise.all([
    running.reload(),
    firstAnswer(running.port, (body) => !old.includes(Number(body)), patienceMs).then(since),
    allGone(old, patienceMs).then(since),
  ]);
  return { firstAnswerMs, oldGoneMs };
}
