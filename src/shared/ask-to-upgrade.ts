/** Upgrades a master over the control socket, and waits until the new version answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { ask, promptMs, refused, unanswered } from './ask-master.ts';
import { type MasterStatus, routes } from './control-api.ts';
import { askControl, type ControlRequest, type NoWholeAnswer } from './control-client.ts';
import { formatDuration } from './durations.ts';
import { GracefulRunError } from './errors.ts';
import { isRunning } from './is-running.ts';
import { masterStatus, readAnswer } from './schemas/answer-schemas.ts';

/** The result of an upgrade. */
export interface Upgraded {
  /** The version of graceful-run until now. */
  readonly from: string;
  /** The version of graceful-run that runs the master now. */
  readonly version: string;
  /** The version of Node.js until now. */
  readonly nodeFrom: string;
  /** The version of Node.js that runs the master now. */
  readonly node: string;
  /** How often the master has been upgraded since it was started. */
  readonly upgrades: number;
}

type Target = Pick<ControlRequest, 'path' | 'signal'>;

/** How long the new version may take to answer. It usually takes less than half a second. */
const boundMs = 15_000;
const lookEveryMs = 20;

/**
 * Requests the upgrade. Resolves when the new version of the master answers. `action` says what could not be done. @throws GracefulRunError upgradeFailed,
 * and like ask().
 */
export async function askToUpgrade(action: string, target: Target): Promise<Upgraded> {
  const before = await statusOf(action, target);
  const exchange = await askControl({ ...target, method: 'POST', route: routes.upgrade, body: {} });
  if ('answer' in exchange) {
    if (exchange.answer.status === 404) throw tooOld(action, before);
    throw refused(action, exchange.answer);
  }
  // Only a connection that is open when the program is replaced breaks off.
  if (exchange.noAnswer !== 'brokenOff') throw unanswered(action, exchange);
  const after = await nextVersion(action, target, before, exchange);
  return {
    from: before.version,
    version: after.version,
    nodeFrom: before.node,
    node: after.node,
    upgrades: after.upgrades,
  };
}

async function statusOf(action: string, target: Target): Promise<MasterStatus> {
  const request = { ...target, method: 'GET', route: routes.master, timeoutMs: promptMs } as const;
  return readAnswer(masterStatus, (await ask(action, request, [200])).body);
}

/** Resolves to the status of the master when it has been upgraded. `gap`: how the request for the upgrade ended. */
async function nextVersion(
  action: string,
  target: Target,
  before: MasterStatus,
  gap: NoWholeAnswer,
): Promise<MasterStatus> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    target.signal?.throwIfAborted();
    const now = await statusOf(action, target).catch((error: unknown) => {
      if (error instanceof GracefulRunError) return error;
      throw error;
    });
    const isAnswer = !(now instanceof GracefulRunError);
    if (isAnswer && now.pid === before.pid && now.upgrades > before.upgrades) return now;
    const hasEnded = isAnswer
      ? now.pid !== before.pid
      : now.code === 'masterNotFound' && !isRunning(before.pid);
    if (hasEnded) throw lost(action, before);
    if (performance.now() > deadline) throw isAnswer ? unanswered(action, gap) : silent(action, before);
    await delay(lookEveryMs, undefined, target.signal === undefined ? {} : { signal: target.signal });
  }
}

function tooOld(action: string, { version, name }: MasterStatus): GracefulRunError {
  return new GracefulRunError(
    'upgradeFailed',
    `cannot ${action}: the master runs graceful-run ${version}, which cannot be upgraded while its programs run`,
    { hint: `stop it, and start the new version: gracefulctl shutdown ${name} --wait` },
  );
}

function lost(action: string, { pid }: MasterStatus): GracefulRunError {
  return new GracefulRunError(
    'upgradeFailed',
    `cannot ${action}: the master with pid ${pid} exited when the new version took over`,
    { hint: 'see its log for the reason, and whether it has been started again: gracefulctl list' },
  );
}

function silent(action: string, { pid }: MasterStatus): GracefulRunError {
  return new GracefulRunError(
    'masterUnreachable',
    `cannot ${action}: the new version has taken over process ${pid}, but has not answered within ${formatDuration(boundMs)}`,
    { hint: `see its log, and whether the process is busy: ps -o pid,stat,time,args -p ${pid}` },
  );
}
