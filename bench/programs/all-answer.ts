/** Polls many servers until each has responded. */
import { firstAnswer } from '../answers.ts';

/**
 * The rate of all polls together, which is no load, however many ports there are. With 100 ports, each is polled every 200 ms: that is the error of
 * the times measured with it.
 */
const pollsPerSecond = 500;
const patienceMs = 300_000;

/** Resolves when every port has given a response that passes. */
export async function untilAllAnswer(
  ports: readonly number[],
  passes: (body: string) => boolean = () => true,
): Promise<void> {
  const everyMs = Math.max(4, (1_000 * ports.length) / pollsPerSecond);
  await Promise.all(ports.map((port) => firstAnswer(port, passes, patienceMs, everyMs)));
}
