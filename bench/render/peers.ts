/** The tables of graceful-run against other tools. Pure; whoever wins, a table says it the same way. */
import type { Count } from '../measures/failed.ts';
import type { PeerResults } from '../measures/index.ts';
import type { Latencies, LatencyTurn } from '../measures/latency.ts';
import type { Outcome } from '../peers/turns.ts';
import { median } from '../statistics.ts';
import { addCounts, failedTotals } from './totals.ts';
import { failures, megabytes, spread, table, tenths, whole, type Row } from './table.ts';

/** A section for each measure; those that were not taken are left out. */
export function peerSections(results: PeerResults): readonly string[] {
  const { failed, slow, latency, timing, killed, websockets, throughput, idle } = results;
  const sections = [
    failed && section(failedHead, rows(failed, failedRow)),
    slow && section(slowHead, rows(slow, slowRow)),
    latency && section(latencyHead, rows(latency, latencyRow)),
    timing &&
      section(
        timingHead,
        rows(timing, (turns) => [
          spread(pick(turns, 'firstAnswerMs'), whole),
          spread(pick(turns, 'oldGoneMs'), whole),
        ]),
      ),
    killed && section(killedHead, rows(killed, killedRow)),
    websockets && section(webSocketHead, rows(websockets, webSocketRow)),
    throughput &&
      section(
        throughputHead,
        rows(throughput, (turns) => [
          spread(pick(turns, 'keepAlive'), whole),
          spread(pick(turns, 'newConnections'), whole),
        ]),
      ),
    idle &&
      section(
        idleHead(idle),
        rows(idle, (turns) => [
          spread(pick(turns, 'memoryBytes'), megabytes),
          spread(pick(turns, 'wakeUps'), whole),
        ]),
      ),
  ];
  return sections.filter((text) => text !== undefined);
}

interface Head {
  readonly title: string;
  readonly text: readonly string[];
  readonly columns: Row;
}

const failedHead: Head = {
  title: 'Failed requests and closed connections',
  text: [
    'Clients of three kinds while a tool reloads: `wrk -t1 -c32` over connections that stay; 32 clients with a connection for every request',
    '(paced 10 ms); 200 clients that POST 256 bytes over connections that stay (paced 150 ms). The last two never make a request twice,',
    'and count every refusal, reset, early end, timeout, missing or wrong answer. Failures are those of all reloads together. Closed',
    'connections are those of the 200 that the server has ended, announced or not, for each reload (median).',
  ],
  columns: [
    '',
    'reloads',
    'failed: wrk, keep-alive',
    'failed: new connections',
    'failed: POST',
    'closed by a reload',
  ],
};

const slowHead: Head = {
  title: 'Slow requests in flight',
  text: ['Requests whose answers take 1.5 s, and a reload 0.5 s after they were made. All turns together.'],
  columns: ['', 'requests', 'failed'],
};

const latencyHead: Head = {
  title: 'Latency at 800 requests a second',
  text: [
    'Milliseconds from the moment at which a request was due to its whole answer, over 60 connections, each of which asks every 75 ms; first',
    'while nothing happens, then with a reload every 1.5 s. Medians of the turns; timers make differences below 1 ms mean nothing.',
  ],
  columns: ['', 'reloads', 'p50', 'p90', 'p99', 'p99.9', 'max', 'failed'],
};

const timingHead: Head = {
  title: 'Time of a reload',
  text: [
    'Milliseconds from the command (pm2: its start, for there is no other way to ask it; else a signal or a line on a socket) to the first',
    'answer of a new worker, and to the end of the last old one. Nobody else is there.',
  ],
  columns: ['', 'first new answer', 'old workers gone'],
};

const killedHead: Head = {
  title: 'A worker killed with -9',
  text: [
    'One of the workers is killed under 64 clients (half of them with a connection for every request), each of which asks every 10 ms. What',
    'that worker was answering, or had accepted, is lost with every tool. Failures are those of all turns together; then milliseconds until a',
    'new worker answers. HAProxy has one worker with threads, and without it its master ends, too, for systemd to start both anew.',
  ],
  columns: ['', 'requests', 'failed', 'replaced after'],
};

const webSocketHead: Head = {
  title: 'WebSockets',
  text: [
    'Clients that send a number every 100 ms, and get it back with a count that the server keeps for the connection; who is disconnected',
    'comes back at once, and is counted from one. Medians of the turns. Processes: the workers after the last reload, where 2 were asked for',
    '(of HAProxy, 1); the others are old ones that live on for their connections. nginx and HAProxy pass WebSockets on to a backend that',
    'nobody reloads: their connections stay because their old workers do.',
  ],
  columns: ['', 'connections', 'reloads', 'closed', 'messages', 'lost', 'wrong counts', 'processes'],
};

const throughputHead: Head = {
  title: 'Throughput with all workers',
  text: [
    'Requests a second under `wrk -t1 -c32`, after a second to get warm. wrk needs one of the cores for itself. nginx and HAProxy answer by',
    'themselves, in C; gunicorn in Python.',
  ],
  columns: ['', 'keep-alive', '`Connection: close`'],
};

function idleHead(idle: NonNullable<PeerResults['idle']>): Head {
  const windowMs = idle.flatMap((outcome) => ('turns' in outcome ? outcome.turns : []))[0]?.windowMs ?? 0;
  return {
    title: 'The master while nothing happens',
    text: ['The processes that stay, without the workers. naught has two of them.'],
    columns: ['', 'resident memory (MB)', `wake-ups in ${windowMs / 1_000} s`],
  };
}

const failedRow: RowOf<'failed'> = (turns) => {
  const { reloads, keepAlive, newConnections, posts, closedPerReload } = failedTotals(turns);
  const one = (count: Count | null): string =>
    count === null ? 'wrk is not installed' : failures(count.failed, count.kinds);
  return [whole(reloads), one(keepAlive), one(newConnections), one(posts), whole(closedPerReload)];
};

const slowRow: RowOf<'slow'> = (turns) => {
  const { requests, failed, kinds } = addCounts(turns);
  return [whole(requests), failures(failed, kinds)];
};

/** Two rows: without reloads, and with them. */
const latencyRow: RowOf<'latency'> = (turns) => {
  const describe = (which: keyof LatencyTurn): Row | null => {
    const all = turns.map((turn) => turn[which]).filter((latencies) => latencies !== null);
    if (all.length === 0) return null;
    const of = (name: keyof Latencies): string => tenths(median(pick(all, name)));
    const failed = pick(all, 'failed').reduce((sum, count) => sum + count, 0);
    return [of('p50'), of('p90'), of('p99'), of('p999'), of('max'), whole(failed)];
  };
  const quiet = describe('quiet');
  const reloading = describe('reloading');
  return [
    ...(quiet === null ? [] : [['without', ...quiet]]),
    ...(reloading === null ? [] : [['with', ...reloading]]),
  ];
};

const killedRow: RowOf<'killed'> = (turns) => {
  const { requests, failed, kinds } = addCounts(turns);
  const times = turns.map((turn) => turn.replacedMs).filter((time) => time !== null);
  if (times.length < turns.length) return ['', 'every request from then on', 'nobody'];
  return [whole(requests), failures(failed, kinds), spread(times, whole)];
};

const webSocketRow: RowOf<'websockets'> = (turns) => {
  const of = (value: (turn: (typeof turns)[number]) => number): string => whole(median(turns.map(value)));
  return [
    of((turn) => turn.clients),
    of((turn) => turn.reloads),
    of((turn) => turn.closed),
    of((turn) => turn.sent),
    of((turn) => turn.sent - turn.echoed),
    of((turn) => turn.lostState),
    of((turn) => turn.workersLeft),
  ];
};

type TurnsOf<Name extends keyof PeerResults> =
  NonNullable<PeerResults[Name]>[number] extends Outcome<infer Figures> ? readonly Figures[] : never;
/** The cells behind the tool's name: of one row, or of several. */
type RowOf<Name extends keyof PeerResults> = (turns: TurnsOf<Name>) => Row | readonly Row[];

function rows<Figures>(
  outcomes: readonly Outcome<Figures>[],
  write: (turns: readonly Figures[]) => Row | readonly Row[],
): readonly Row[] {
  return outcomes.flatMap((outcome): readonly Row[] => {
    const { tool } = outcome;
    if ('missing' in outcome) return [[tool, `not measured: ${firstLine(outcome.missing)}`]];
    if (outcome.turns.length === 0) return [[tool, 'not measured']];
    const written = write(outcome.turns);
    const several = written.filter((cells) => typeof cells !== 'string');
    if (several.length === 0) return [[tool, ...written.filter((cell) => typeof cell === 'string')]];
    return several.map((cells, at) => [at === 0 ? tool : '', ...cells]);
  });
}

function section({ title, text, columns }: Head, body: readonly Row[]): string {
  return [`### ${title}`, '', ...text, '', ...table(columns, body)].join('\n');
}

function pick<Name extends string>(
  values: readonly Readonly<Record<Name, number>>[],
  name: Name,
): readonly number[] {
  return values.map((value) => value[name]);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
