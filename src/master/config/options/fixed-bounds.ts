/** The bounds that have no option of their own, in one place. Durations in ms. */
import { killDelayMs } from '../../../shared/protocol.ts';

/** How long a new master retries a port that is in use. Workers of a master that was killed get longer: their drain timeout and more. */
export const bindPatienceMs = 5_000;

/** A pending reload begins when no reload was requested for this long: a storm of SIGHUPs is one reload. */
export const debounceMs = 250;

/**
 * One act may send several signals: timeout(1) signals its child and then the group, systemd runs ExecStop and then sends
 * SIGTERM. A signal that comes so soon after the first request is the same request.
 */
export const sameStopMs = 200;

/** A reload waits while this many old generations still drain: processes must not pile up behind slow clients. */
export const maxDrainingGenerations = 8;

/** The first pause before a worker or program that has failed is started again. */
export const firstBackoffMs = 1_000;

/** How long a worker has to be ready to count as healthy. */
export const healthyAfterMs = 30_000;

/** A watched file counts as changed when its content has been stable for this long. */
export const watchStableMs = 200;

/** What workers without a master get beyond their drain timeout: a master would have killed them `killDelayMs` after it. */
export const beyondDrainMs: number = killDelayMs + 1_000;
