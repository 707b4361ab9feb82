/** One example of every answer of a master. The OpenAPI description shows them. */
import type {
  Decided,
  ErrorAnswer,
  LogRecord,
  MasterStatus,
  ProgramList,
  ReloadAccepted,
  ReloadResult,
  Scaled,
  Status,
  StopAccepted,
  UpdateResult,
} from '../../src/shared/control-api.ts';
import type { EventRecord, Failure, Release } from '../../src/shared/events.ts';

const release: Release = { cwd: '/srv/releases/42', file: '/srv/releases/42/app.js', changed: true };

const failure: Failure = {
  reason: 'exited',
  message: 'the worker exited with code 1 before it was ready',
  hint: null,
  errorCode: null,
  outcome: { code: 1, signal: null },
  stderrTail: ['Error: no database'],
};

const master: MasterStatus = {
  name: 'site',
  pid: 4_242,
  version: '0.1.0',
  uptimeMs: 93_021,
  isStopping: false,
  logId: 'SmW1-9orARspX1lH',
  file: '/etc/graceful.toml',
  upgrades: 0,
  node: '20.20.2',
};

const reloaded: ReloadResult = {
  generation: 3,
  ok: true,
  endedAt: 1_795_308_017_086,
  durationMs: 141,
  failure: null,
  release,
  probationMs: 2_000,
  serving: 3,
  rolledBackTo: null,
  remaining: 0,
};

const failed: ReloadResult = {
  generation: 4,
  ok: false,
  endedAt: 1_795_308_017_356,
  durationMs: 142,
  failure,
  release: { ...release, cwd: '/srv/releases/43', file: '/srv/releases/43/app.js' },
  probationMs: 0,
  serving: 3,
  rolledBackTo: null,
  remaining: 0,
};

const status: Status = {
  program: 'shop',
  group: 'site',
  type: 'server',
  state: 'RUNNING',
  phase: 'serving',
  isWanted: true,
  waitsFor: [],
  rollout: null,
  errors: null,
  probation: { previous: 2, remainingMs: 1_400 },
  generation: 3,
  release,
  command: ['node', 'app.js'],
  master,
  listeners: [{ name: 'default', type: 'tcp', host: '::', port: 10_086, path: null, reusePort: false }],
  workersWanted: 2,
  workers: [
    {
      generation: 2,
      slot: 0,
      pid: 4_249,
      servingPid: null,
      state: 'draining',
      isAccepting: false,
      isHung: false,
      capabilities: { isGated: true, migrates: true, reports: true },
      inStateMs: 1_400,
      uptimeMs: 90_000,
      otherRelease: null,
      draining: { leftMs: 28_600, requests: 1, connections: 3, isCleaningUp: false },
      load: null,
    },
    {
      generation: 3,
      slot: 0,
      pid: 4_250,
      servingPid: 4_257,
      state: 'ready',
      isAccepting: true,
      isHung: false,
      capabilities: { isGated: true, migrates: true, reports: true },
      inStateMs: 757,
      uptimeMs: 976,
      otherRelease: null,
      draining: null,
      load: {
        requests: 2,
        connections: 50,
        served: 71_209,
        serverErrors: 3,
        eventLoop: { utilization: 0.312, delayMeanMs: 0.4, delayP99Ms: 3.1, delayMaxMs: 12.5 },
      },
    },
  ],
  restarts: [{ slot: 1, failures: 2, inMs: 800 }],
  orphans: { pids: [4_242, 4_243], remainingMs: 48_000 },
  emptySlots: [{ slot: 2, outcome: { code: 0, signal: null }, isGivenUp: false }],
  retry: { failures: 1, inMs: 900 },
  exit: { code: 0, signal: null, isExpected: true },
  schedule: {
    expression: '0 3 * * *',
    timezone: 'Europe/Berlin',
    nextAt: 1_795_311_600_000,
    run: { startedAt: 1_795_308_017_000, cause: 'request' },
    isPending: false,
    lastRun: {
      startedAt: 1_795_225_200_000,
      durationMs: 61_000,
      result: 'failed',
      outcome: { code: 1, signal: null },
    },
  },
  reloadPending: false,
  load: { served: 212_480, serverErrors: 5 },
  lastReload: reloaded,
  lastCrash: { generation: 3, slot: 1, pid: 4_251, endedAt: 1_795_308_019_000, failure },
};

const programs: ProgramList = { master, programs: [status] };

const updated: UpdateResult = {
  file: '/etc/graceful.toml',
  difference: {
    added: ['mail'],
    removed: ['old'],
    changed: [
      { program: 'shop', keys: ['workers', 'command'], needs: 'reload', later: [], runsAgain: false },
    ],
    master: ['log_level'],
  },
  applied: true,
  programs: [
    { program: 'mail', done: 'started', problem: null },
    {
      program: 'shop',
      done: 'reloaded',
      problem: 'generation 4 failed: the worker exited with code 1 before it was ready',
    },
    { program: 'old', done: 'removed', problem: null },
  ],
};

const refused: ErrorAnswer = {
  error: {
    code: 'planInvalid',
    message: 'cannot use /etc/graceful.toml: program.shop.port: expected a number from 0 to 65535',
    hint: 'correct the file; nothing was changed',
    problems: [
      {
        file: '/etc/graceful.toml',
        line: 3,
        column: 8,
        key: 'program.shop.port',
        message: 'expected a number from 0 to 65535',
        hint: null,
      },
    ],
  },
};

const accepted: ReloadAccepted = { generation: 4 };
const decided: Decided = { generation: 2 };
const scaled: Scaled = { workers: 3, before: 1 };
const stopping: StopAccepted = { pid: 4_242 };

const ready: EventRecord = {
  event: 'generationReady',
  generation: 3,
  durationMs: 141,
  release,
  probationMs: 2_000,
  program: 'shop',
  time: 1_795_308_017_086,
};

const logged: LogRecord = {
  stream: 'stdout',
  generation: 3,
  slot: 0,
  worker: 4_711,
  time: 1_795_308_017_086,
  line: 'GET /cart 200',
};

export const exampleAnswers: {
  readonly MasterStatus: MasterStatus;
  readonly ProgramList: ProgramList;
  readonly Status: Status;
  readonly ReloadResult: ReloadResult;
  readonly FailedReload: ReloadResult;
  readonly ReloadAccepted: ReloadAccepted;
  readonly Decided: Decided;
  readonly Scaled: Scaled;
  readonly StopAccepted: StopAccepted;
  readonly UpdateResult: UpdateResult;
  readonly ErrorAnswer: ErrorAnswer;
  readonly EventRecord: EventRecord;
  readonly LogRecord: LogRecord;
} = {
  MasterStatus: master,
  ProgramList: programs,
  Status: status,
  ReloadResult: reloaded,
  FailedReload: failed,
  ReloadAccepted: accepted,
  Decided: decided,
  Scaled: scaled,
  StopAccepted: stopping,
  UpdateResult: updated,
  ErrorAnswer: refused,
  EventRecord: ready,
  LogRecord: logged,
};
