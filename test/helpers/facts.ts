/** One example of every fact: a fact without one does not compile. */
import type { Fact, Failure, Release } from '../../src/shared/facts.ts';

const failure: Failure = {
  reason: 'exited',
  message: 'its worker exited before it was ready',
  hint: 'run the command by hand',
  errorCode: null,
  outcome: { code: 1, signal: null },
  stderrTail: ['Error: boom'],
};
const release: Release = { cwd: '/srv/releases/42', file: '/srv/releases/42/app.js', changed: true };
const identity = { generation: 2, slot: 0, pid: 4_242 };
const change = { ...identity, durationMs: 1_200 };

const examples: { readonly [Name in Fact['event']]: Extract<Fact, { readonly event: Name }> } = {
  masterStarted: { event: 'masterStarted', pid: 1, version: '0.1.0', control: null },
  controlSocketChanged: {
    event: 'controlSocketChanged',
    change: 'elsewhere',
    control: '/tmp/graceful-run-1000/web.sock',
    problem: '/run/user/1000/graceful-run: there is no /run/user/1000',
  },
  listenerBound: { event: 'listenerBound', listener: 'default', host: '::', port: 80 },
  listenersClosed: { event: 'listenersClosed' },
  generationStarted: { event: 'generationStarted', generation: 2, workers: 1, release },
  generationReady: { event: 'generationReady', generation: 2, durationMs: 210, probationMs: 0, release },
  generationSettled: { event: 'generationSettled', generation: 2, durationMs: 2_000 },
  generationRolledBack: {
    event: 'generationRolledBack',
    generation: 2,
    to: 1,
    durationMs: 80,
    release,
    failure,
  },
  generationFailed: {
    event: 'generationFailed',
    generation: 2,
    serving: 1,
    durationMs: 210,
    release,
    failure,
  },
  reloadRequested: { event: 'reloadRequested', cause: 'signal', generation: 2, pending: false },
  stopRequested: { event: 'stopRequested', cause: 'control', urgent: true },
  stopped: { event: 'stopped', failure: null },
  workerCountChanged: { event: 'workerCountChanged', fromCount: 1, toCount: 2 },
  restartScheduled: { event: 'restartScheduled', generation: 2, slot: 0, failures: 1, delayMs: 0 },
  workerStarted: { event: 'workerStarted', ...change, from: null, to: 'starting' },
  workerNotReadyYet: { event: 'workerNotReadyYet', ...identity, reason: 'GET /healthz answered 503' },
  workerReady: { event: 'workerReady', ...change, from: 'starting', to: 'ready' },
  workerRestartedItself: { event: 'workerRestartedItself', ...identity, failure },
  workerPaused: { event: 'workerPaused', ...identity },
  workerResumed: { event: 'workerResumed', ...identity },
  workerNotPaused: { event: 'workerNotPaused', ...identity, problem: 'EMFILE' },
  workerAdmitted: { event: 'workerAdmitted', ...identity },
  workerDraining: { event: 'workerDraining', ...change, from: 'ready', to: 'draining', reason: 'reload' },
  workerTerminated: { event: 'workerTerminated', ...change, from: 'draining', to: 'terminating' },
  workerKilled: {
    event: 'workerKilled',
    ...change,
    from: 'terminating',
    to: 'killing',
    reason: 'drainTimeout',
  },
  workerExited: {
    event: 'workerExited',
    ...change,
    from: 'draining',
    to: 'exited',
    outcome: { code: 0, signal: null },
    served: 12,
    migrated: 0,
    cut: 0,
    cleanUpsCut: 0,
  },
  workerFailed: { event: 'workerFailed', ...change, from: 'starting', to: 'exited', failure },
  workerCleanUpCut: { event: 'workerCleanUpCut', ...identity, what: 'SIGTERM handlers' },
  workerAcceptsNoMore: { event: 'workerAcceptsNoMore', ...identity },
  migrationFailed: { event: 'migrationFailed', ...identity, problem: 'EMFILE' },
  undeclaredListen: { event: 'undeclaredListen', ...identity, address: ':::9000' },
  wideListen: { event: 'wideListen', ...identity, address: '127.0.0.1:9000' },
  narrowListen: { event: 'narrowListen', ...identity, address: '*:9000' },
  addressBusy: { event: 'addressBusy', host: null, port: 9000, patienceMs: 5_000 },
  portChanged: { event: 'portChanged', source: 'environment', port: 80 },
  messageRejected: { event: 'messageRejected', ...identity, pid: null, problem: 'no type' },
  fileChanged: { event: 'fileChanged', path: '/srv/app.js' },
  watchStarted: { event: 'watchStarted', paths: ['/srv/app.js', '/srv/lib'] },
  watchFailed: { event: 'watchFailed', problem: 'too many files' },
};

export const exampleFacts: readonly Fact[] = Object.values(examples);
