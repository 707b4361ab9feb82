/** Clients over UDP: one that asks once, and one that sends numbered datagrams at an even pace and keeps every answer. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { eventually } from './eventually.ts';

export interface Answer {
  readonly text: string;
  readonly pid: number;
  readonly generation: number;
}

async function openClient(host: string): Promise<dgram.Socket> {
  const socket = dgram.createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: 1_000_000,
  });
  socket.bind(0, host.includes(':') ? '::1' : '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** The text of the answer. The datagram is sent once; it waits for as long as no worker reads. */
export async function ask(port: number, text: string, host = '127.0.0.1'): Promise<string> {
  const socket = await openClient(host);
  socket.send(text, port, host);
  const [answer, { port: from }] = (await once(socket, 'message')) as [Buffer, dgram.RemoteInfo];
  socket.close();
  if (from !== port) throw new Error(`answered from port ${from}`);
  return String(answer);
}

export async function whoAnswersDatagrams(port: number, host?: string): Promise<Answer> {
  return JSON.parse(await ask(port, 'who', host)) as Answer;
}

export interface PacedSender {
  /** Resolves when `count` more datagrams were answered. */
  moreAnswers(count: number): Promise<void>;
  /** Sends no more; resolves to what has come of every datagram. */
  stop(): Promise<PacedResult>;
}

export interface PacedResult {
  readonly sent: number;
  readonly elapsedMs: number;
  /** Between two answers, or between an answer and the end. */
  readonly longestGapMs: number;
  /** The numbers of those that were never answered. */
  readonly lost: readonly number[];
  /** The numbers of those that were answered more than once. */
  readonly repeated: readonly number[];
  readonly generations: readonly number[];
}

/** At most this many wait for their answer: a machine that is busy lets more queue up than the receive buffer of a socket can take. */
const maxUnanswered = 100;
/** At most this many are sent at once. */
const maxAtOnce = 10;

/**
 * Sends up to `perSecond` datagrams, each with its number, and learns of each answer how often it has come. While `maxUnanswered` of them wait it sends
 * none: so a time in which no worker reads shows in `longestGapMs`, and in `moreAnswers`, not in `lost`. `keepsPace`: it sends all of them instead, whether
 * or not they are answered, and makes up for the time in which it could not send.
 */
export async function sendPaced(
  port: number,
  perSecond: number,
  { keepsPace = false }: { readonly keepsPace?: boolean } = {},
): Promise<PacedSender> {
  const socket = await openClient('127.0.0.1');
  const answers = new Map<number, Answer[]>();
  let sent = 0;
  let answered = 0;
  const begun = performance.now();
  let answeredAt = begun;
  let longestGapMs = 0;
  const noteGap = (): void => {
    const now = performance.now();
    longestGapMs = Math.max(longestGapMs, now - answeredAt);
    answeredAt = now;
  };
  socket.on('message', (message) => {
    noteGap();
    const answer = JSON.parse(String(message)) as Answer;
    const known = answers.get(Number(answer.text)) ?? [];
    known.push(answer);
    answers.set(Number(answer.text), known);
    if (known.length === 1) answered += 1;
  });
  let due = 0;
  let before = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const limit = keepsPace ? Infinity : maxUnanswered;
    due = Math.min(due + ((now - before) * perSecond) / 1_000, limit);
    before = now;
    for (let left = maxAtOnce; left > 0 && due >= 1 && sent - answered < limit; left -= 1) {
      due -= 1;
      sent += 1;
      socket.send(String(sent), port, '127.0.0.1');
    }
  }, 1);
  return {
    async moreAnswers(count) {
      const wanted = answered + count;
      await eventually(`${count} more datagrams are answered`, () => answered >= wanted, 20_000);
    },
    async stop() {
      if (keepsPace) await eventually('all that are due are sent', () => due < 1);
      clearInterval(timer);
      const elapsedMs = performance.now() - begun;
      // Lost ones are never answered.
      await eventually('all are answered', () => answered === sent).catch(() => undefined);
      if (answered < sent) noteGap();
      socket.close();
      const numbers = Array.from({ length: sent }, (_, at) => at + 1);
      return {
        sent,
        elapsedMs,
        longestGapMs,
        lost: numbers.filter((number) => !answers.has(number)),
        repeated: numbers.filter((number) => (answers.get(number)?.length ?? 0) > 1),
        generations: [...new Set([...answers.values()].flat().map(({ generation }) => generation))],
      };
    },
  };
}
