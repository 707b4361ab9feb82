/**
 * The log level of each event. Pure. A successful reload writes four lines at `info` (requested, starting, serving, settled), and one for each old worker
 * that exits.
 */
import type { MasterEvent } from '../../shared/events.ts';

export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

/** Returns the level of an event. `isRecovery`: the event is a `workerReady` of a worker that replaces a failed one, which an operator wants to see. */
export function levelOf(event: MasterEvent, isRecovery = false): EventLevel {
  switch (event.event) {
    case 'hookEnded':
      return event.problem === null ? 'info' : 'warn';
    case 'workerReady':
      return isRecovery ? 'info' : 'debug';
    case 'workerDraining':
      return event.reason === 'signal' ? 'info' : 'debug';
    case 'workerExited':
      return (event.cut ?? 0) + event.cleanUpsCut === 0 && event.failure === null ? 'info' : 'warn';
    case 'workerNotReplaced':
      return event.why === 'exited' ? 'info' : 'error';
    case 'runEnded':
      return event.result === 'failed' || event.result === 'timedOut' ? 'error' : 'info';
    case 'stopped':
      return event.failure === null ? 'info' : 'error';
    case 'generationFailed':
    case 'generationRolledBack':
    case 'workerFailed':
    case 'workerRestartedItself':
    case 'workerLostProgram':
    case 'watchFailed':
    case 'outputLost':
    case 'logRotationFailed':
    case 'metricsFailed':
    case 'internalError':
    case 'upgradeFailed':
    case 'startRefused':
    case 'planRefused':
    case 'rememberedFailed':
    case 'listenerShutDown':
    case 'workerHung':
      return 'error';
    case 'exitHung':
    case 'runTimedOut':
    case 'runSkipped':
    case 'runsMissed':
    case 'replacementFailed':
    case 'restartScheduled':
    case 'startRetryScheduled':
    case 'workerCleanUpCut':
    case 'workerTerminated':
    case 'workerKilled':
    case 'controlSocketChanged':
    case 'undeclaredListen':
    case 'wideListen':
    case 'narrowListen':
    case 'addressBusy':
    case 'inheritedSocketUnused':
    case 'nameBusy':
    case 'listenerRescued':
    case 'orphansDrained':
    case 'orphansKilled':
    case 'listenerLeftBehind':
    case 'leftoversKilled':
    case 'listenerKept':
    case 'queueLeftBehind':
    case 'webhookFailed':
    case 'webhooksDropped':
    case 'hooksDropped':
    case 'portChanged':
    case 'outputResumed':
    case 'messageRejected':
    case 'migrationFailed':
    case 'workerNotPaused':
      return 'warn';
    case 'masterStarted':
    case 'masterUpgraded':
    case 'upgradeRequested':
    case 'upgradeWaits':
    case 'replacementStarted':
    case 'workerAdopted':
    case 'workerReplaced':
    case 'listenerBound':
    case 'metricsServed':
    case 'addressLeftOut':
    case 'generationStarted':
    case 'generationReady':
    case 'generationSettled':
    case 'rolloutAdvanced':
    case 'reloadRequested':
    case 'stopRequested':
    case 'workerCountChanged':
    case 'workerNotReadyYet':
    case 'stillDraining':
    case 'fileChanged':
    case 'watchStarted':
    case 'runStarted':
    case 'keptStopped':
    case 'startWaits':
    case 'planChanged':
    case 'logsReopened':
      return 'info';
    case 'listenersClosed':
    case 'workerStarted':
    case 'workerAdmitted':
    case 'workerPaused':
    case 'workerResumed':
    case 'workerAcceptsNoMore':
      return 'debug';
  }
}
