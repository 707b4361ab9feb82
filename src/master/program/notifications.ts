/** What a worker says of itself by sd_notify(3), other than that it is ready or stops: its main process, its status, its watchdog, and how much time it needs. */
import type { MasterEvent } from '../../shared/events.ts';
import type { Notification } from '../process/notify-message.ts';
import type { Platform } from '../process/platform.ts';
import type { LifecycleInput, Undated } from './lifecycle/inputs.ts';
import { identity, processOf, type RunningWorker } from './running-worker.ts';
import type { ServingProcess } from './serving-process.ts';

export interface NotificationsParts {
  readonly platform: Pick<Platform, 'findByOwnPid'>;
  readonly servingProcess: ServingProcess;
  readonly dispatch: (input: Undated<LifecycleInput>) => void;
  readonly onEvent: (event: MasterEvent) => void;
}

export interface Notifications {
  /** Notes what one datagram says. */
  note(worker: RunningWorker, said: Notification): void;
}

/** How many refusals of messages of one worker are announced. */
const maxRejections = 10;

export function createNotifications({
  platform,
  servingProcess,
  dispatch,
  onEvent,
}: NotificationsParts): Notifications {
  function noteMainPid(worker: RunningWorker, ownPid: number): void {
    const pid = processOf(worker, ownPid, platform);
    if (pid === null) {
      if (worker.rejected < maxRejections) reject(worker, `MAINPID=${ownPid} is not one of its processes`);
      return;
    }
    worker.mainPid = pid;
    if (worker.wasReady && worker.ownPid === null && worker.servingPid !== pid)
      servingProcess.note(worker, pid);
  }

  function reject(worker: RunningWorker, problem: string): void {
    worker.rejected += 1;
    onEvent({ event: 'messageRejected', ...identity(worker), problem });
  }

  return {
    note(worker, said) {
      const { mainPid, extendMs } = said;
      if (said.isAlive) worker.feedsWatchdog = true;
      // Each of the two may arrive in a datagram of its own.
      worker.said = { status: said.status ?? worker.said.status, errno: said.errno ?? worker.said.errno };
      if (said.watchdogMs !== null || said.isHung)
        worker.watchdog = { ms: said.watchdogMs ?? worker.watchdog?.ms ?? null, isHung: said.isHung };
      if (mainPid !== null) noteMainPid(worker, mainPid);
      if (extendMs !== null) dispatch({ type: 'workerNeedsTime', worker: worker.id, needsMs: extendMs });
      if (said.storesDescriptors && !worker.hasOfferedDescriptors) {
        worker.hasOfferedDescriptors = true;
        reject(worker, 'FDSTORE=1: graceful-run keeps no descriptors of a worker');
      }
    },
  };
}
