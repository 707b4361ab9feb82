/** How much a run measures. */

/** The effort of comparing graceful-run with bare Node.js. */
export interface OwnEffort {
  /** Rounds of a throughput measurement; each measures both sides. */
  readonly throughputRounds: number;
  readonly throughputMs: number;
  /** The number of parts into which the time of a round is divided. */
  readonly throughputTurns: number;
  readonly spreadRounds: number;
  readonly spreadTurns: number;
  /** The duration of one run of the load generator, of which there are two for each turn. */
  readonly spreadMs: number;
  readonly boots: number;
  readonly reloads: number;
  /** The number of idle connections. */
  readonly crowd: number;
  readonly crowdReloads: number;
  readonly idleRounds: number;
  readonly idleMs: number;
}

/** The effort of comparing graceful-run with other tools. Reloads and times are per round. */
export interface PeerEffort {
  readonly turns: number;
  readonly workers: number;
  readonly reloads: number;
  readonly reloadEveryMs: number;
  readonly slowRequests: number;
  /** The rounds of the latency: more than `turns`, because few requests of a round are slower than its p99.9. */
  readonly latencyTurns: number;
  readonly latencyMs: number;
  readonly throughputMs: number;
  readonly timedReloads: number;
  readonly settleMs: number;
  readonly idleMs: number;
  readonly webSockets: number;
  readonly webSocketReloads: number;
}

/** The effort of measuring many programs under one tool. */
export interface ProgramsEffort {
  readonly turns: number;
  /** The numbers of programs to measure. With the last one, the tool is also operated. */
  readonly sizes: readonly [...number[], number];
  readonly settleMs: number;
  readonly idleMs: number;
  readonly statuses: number;
  readonly changes: number;
}

/** The effort of measuring servers in other languages that can reload themselves. */
export interface ForeignEffort {
  /** The number of rounds. In each, every program reloads in its own way and then under graceful-run. */
  readonly rounds: number;
  /** The number of reloads in one way, in one round. */
  readonly reloads: number;
  readonly everyMs: number;
}

/** The effort of measuring how the output of a program gets into files. */
export interface OutputEffort {
  readonly rounds: number;
  /** The number of bytes that the program writes. */
  readonly bytes: number;
}

export interface Effort {
  /** True for a run that measures too little to compare anything. */
  readonly isQuick: boolean;
  readonly own: OwnEffort;
  readonly peers: PeerEffort;
  readonly programs: ProgramsEffort;
  readonly foreign: ForeignEffort;
  readonly output: OutputEffort;
}

export const fullEffort: Effort = {
  isQuick: false,
  own: {
    throughputRounds: 9,
    throughputMs: 4_000,
    throughputTurns: 4,
    spreadRounds: 3,
    spreadTurns: 3,
    spreadMs: 2_000,
    boots: 100,
    reloads: 12,
    crowd: 10_000,
    crowdReloads: 7,
    idleRounds: 5,
    idleMs: 10_000,
  },
  peers: {
    turns: 3,
    workers: 2,
    reloads: 4,
    reloadEveryMs: 900,
    slowRequests: 50,
    latencyTurns: 9,
    latencyMs: 6_500,
    throughputMs: 3_000,
    timedReloads: 5,
    settleMs: 15_000,
    idleMs: 10_000,
    webSockets: 200,
    webSocketReloads: 8,
  },
  programs: {
    turns: 2,
    sizes: [1, 10, 100],
    settleMs: 20_000,
    idleMs: 10_000,
    statuses: 5,
    changes: 1,
  },
  foreign: { rounds: 3, reloads: 4, everyMs: 1_000 },
  output: { rounds: 5, bytes: 1e9 },
};

export const quickEffort: Effort = {
  isQuick: true,
  own: {
    throughputRounds: 1,
    throughputMs: 1_000,
    throughputTurns: 1,
    spreadRounds: 1,
    spreadTurns: 1,
    spreadMs: 1_000,
    boots: 3,
    reloads: 3,
    crowd: 1_000,
    crowdReloads: 2,
    idleRounds: 1,
    idleMs: 2_000,
  },
  peers: {
    turns: 1,
    workers: 2,
    reloads: 2,
    reloadEveryMs: 600,
    slowRequests: 20,
    latencyTurns: 1,
    latencyMs: 2_000,
    throughputMs: 1_000,
    timedReloads: 1,
    settleMs: 2_000,
    idleMs: 2_000,
    webSockets: 50,
    webSocketReloads: 2,
  },
  programs: {
    turns: 1,
    sizes: [1, 5],
    settleMs: 2_000,
    idleMs: 2_000,
    statuses: 1,
    changes: 1,
  },
  foreign: { rounds: 1, reloads: 2, everyMs: 600 },
  output: { rounds: 1, bytes: 1e8 },
};
