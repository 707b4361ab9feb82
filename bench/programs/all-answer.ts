/** Polls many servers until each has responded. */
import { firstAnswer } from '../answers.ts';

/** Not a load, however many ports there are. Each is polled every 200 ms if there are 100: the error of the times measured with it. */
const pollsPerSecond = 500;
const patienceMs = 300_000;

/** Resolves when each port has given a response that passes. */
export async function untilAllAnswer(
  ports: readonly number[],
  passes: (body: string) => boolean = () => true,
): Promise<void> {
  const everyMs = Math.max(4, (1_000 * ports.length) / pollsPerSecond);
  await Promise.all(ports.map((port) => firstAnswer(port, passes, patienceMs, everyMs)));
}
