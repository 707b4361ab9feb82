/** Renders the comparison of graceful-run with other tools. Pure. */
import type { Count } from '../count.ts';
import type { PeerResults } from '../measures/index.ts';
import type { Latencies, LatencyTurn } from '../measures/latency.ts';
import type { Outcome } from '../peers/rounds.ts';
import { median } from '../statistics.ts';
import { addCounts, failedTotals, roundsOf } from './totals.ts';
import { failures, megabytes, spread, table, tenths, whole, type Row } from './table.ts';

/** Renders one section for each measurement; those without figures are left out. */
export function peerSections(results: PeerResults): readonly string[] {
  const { failed, slow, latency, timing, killed, masterKilled, websockets, throughput, idle } = results;
  const sections = [
    failed && section(failedHead, rows(failed, failedRow)),
    slow && section(slowHead, rows(slow, slowRow)),
    latency && section(latencyHead(latency), rows(latency, latencyRow)),
    timing &&
      section(
        timingHead,
        rows(timing, (turns) => [
          spread(pick(turns, 'firstAnswerMs'), whole),
          spread(pick(turns, 'oldGoneMs'), whole),
        ]),
      ),
    killed && section(killedHead, rows(killed, killedRow)),
    masterKilled && section(masterKilledHead, rows(masterKilled, masterKilledRow)),
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
    'Three kinds of clients, one after the other, each while a tool reloads as often as the first column says:',
    '',
    '- `wrk -t1 -c32` over keep-alive connections,',
    '- 32 clients that open a new connection for every request and pause for 10 ms in between,',
    '- 200 clients that POST 256 bytes over keep-alive connections and pause for 150 ms in between.',
    '',
    'The last two never retry a request, and count every refused connection, reset, early end, timeout, missing or wrong response. "Unanswered" means that',
    'the connection ended without a response; wrk calls that, or a reset, "read". Failures are the sum over these reloads. The last column counts the keep-alive',
    'connections of the 200 clients that the server closed in one reload, announced or not (median). A client whose new connection is closed too counts twice.',
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
  text: ['Requests that take 1.5 s, with a reload 0.5 s after they were sent. Sums over all rounds.'],
  columns: ['', 'requests', 'failed'],
};

function latencyHead(latency: NonNullable<PeerResults['latency']>): Head {
  return {
    title: 'Latency at 800 requests a second',
    text: [
      'Milliseconds from the time at which a request was due to its complete response. 60 connections send one request every 75 ms each, first without',
      `reloads, then with a reload every 1.5 s. Medians; rounds: ${roundsOf(latency)}. Differences below 1 ms are within the precision of timers.`,
    ],
    columns: ['', 'reloads', 'p50', 'p90', 'p99', 'p99.9', 'max', 'failed'],
  };
}

const timingHead: Head = {
  title: 'Time of a reload',
  text: [
    'Milliseconds from the reload request to the first response of a new worker, and to the exit of the last old one. There is no other traffic.',
    'The request is a signal or a line on a socket; for pm2 it is the start of its command, because there is no other way.',
  ],
  columns: ['', 'first new response', 'old workers gone'],
};

const killedHead: Head = {
  title: 'A worker killed with -9',
  text: [
    'One of the workers is killed under the load of 64 clients, which pause for 10 ms between requests; half of them open a new connection for every request. With every tool,',
    'the requests in flight and the accepted connections of that worker are lost. Failures are the sum over all rounds. The last column is the time in',
    'milliseconds until a new worker responds. HAProxy has one worker with several threads; when that is killed, the master exits too, and systemd is expected to restart both.',
  ],
  columns: ['', 'requests', 'failed', 'replaced after'],
};

const masterKilledHead: Head = {
  title: 'The master killed with -9',
  text: [
    'Under the same load, the master is killed: every process of the tool that is not a worker. 100 ms later, its command is run again, as systemd',
    'does by default. "Closed" counts how often a connection of the 32 keep-alive clients was closed between two requests, announced or not, which is no failure.',
    '"Old workers left" counts the old workers that still ran 4.5 s after a new one had responded, or 10 s after the kill if no new one responded. The numbers are sums over all',
    'rounds. The last column is the time in milliseconds from the kill until a new worker responds.',
    '',
    'The workers of nginx serve on, but a new master cannot start while they hold the address, so nothing can reload or stop them but a signal to each. naught does not start',
    'while the socket file of the killed one is there.',
  ],
  columns: ['', 'requests', 'failed', 'closed', 'old workers left', 'replaced after'],
};

const webSocketHead: Head = {
  title: 'WebSockets',
  text: [
    'Each client sends a number every 100 ms. The server returns it with the number of messages that this connection has sent so far. A disconnected client',
    'reconnects at once and is counted from one. Medians of the rounds. "Processes" counts the workers after the last reload; 2 are configured (1 for HAProxy),',
    'and the others are old ones: they keep running for their connections, and those of graceful-run also until the probation of the new ones is over. nginx and',
    'HAProxy forward WebSockets to a backend that is not reloaded, so connections stay open as long as their old workers run.',
  ],
  columns: ['', 'connections', 'reloads', 'closed', 'messages', 'lost', 'wrong counts', 'processes'],
};

const throughputHead: Head = {
  title: 'Throughput with all workers',
  text: [
    'Requests per second under `wrk -t1 -c32`, after a warm-up of one second. wrk occupies one of the cores. nginx and HAProxy generate the response',
    'themselves, in C; the application of gunicorn is in Python. Each worker of graceful-run has a session of its own, and the kernel gives every session the same',
    'share of the processors (autogroups): so wrk gets less beside them. "How load spreads over workers" below compares without this effect.',
  ],
  columns: ['', 'keep-alive', '`Connection: close`'],
};

function idleHead(idle: NonNullable<PeerResults['idle']>): Head {
  const windowMs = idle.flatMap((outcome) => ('turns' in outcome ? outcome.turns : []))[0]?.windowMs ?? 0;
  return {
    title: 'The master while nothing happens',
    text: ['The processes that stay during a reload, without the workers. naught has two of them.'],
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

/** Renders two rows: without and with reloads. */
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
  if (times.length < turns.length) return ['', 'every request from then on', 'not replaced'];
  return [whole(requests), failures(failed, kinds), spread(times, whole)];
};

const masterKilledRow: RowOf<'masterKilled'> = (turns) => {
  const { requests, failed, kinds } = addCounts(turns);
  const sum = (name: 'closed' | 'oldLeft'): string =>
    whole(pick(turns, name).reduce((total, count) => total + count, 0));
  const times = turns.map((turn) => turn.replacedMs).filter((time) => time !== null);
  return [
    whole(requests),
    failures(failed, kinds),
    sum('closed'),
    sum('oldLeft'),
    times.length < turns.length ? 'not replaced' : spread(times, whole),
  ];
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
/** Returns the cells after the tool's name, for one row or several. */
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
