/** Says why a worker was not ready in time: which of the steps that its kind of program requires it did not do. Pure. */
import { formatDuration } from '../../shared/durations.ts';
import type { Failure } from '../../shared/events.ts';
import { needsSign, type Readiness, type SignReadiness } from '../launch/worker-kind.ts';
import {
  describeDeclared,
  type FailureContext,
  heldHint,
  undeclaredHint,
  withoutPreloadHint,
} from './worker-failures.ts';

/** What a worker had to do to become ready, and what it has done of it. */
export interface Awaited {
  readonly readiness: Readiness;
  /** How long a program that sends no message has to run. */
  readonly startsMs: number;
  /** Whether the worker is Node.js, or one of its processes is that has the listener. */
  readonly isNode: boolean;
  /** Whether its Node.js process has reported that it listens. */
  readonly listens: boolean;
  /** Whether it has a listening socket of its own (reuse_port), over which it can be asked. */
  readonly hasOwnSocket: boolean;
  /** Whether it has given the sign that `readiness` names, if that names one. */
  readonly gaveSign: boolean;
  /** Whether it has sent a message to its NOTIFY_SOCKET. */
  readonly hasNotified: boolean;
  /** Whether an earlier worker of the same plan has itself reported that it is ready. */
  readonly reportsItself: boolean;
}

export function notReadyFailure(timeoutMs: number, awaited: Awaited, context: FailureContext): Failure {
  const { notReadyYet, says } = context;
  const why = [notReadyYet ?? missingSign(awaited), says === null ? null : `it says: ${says}`];
  return {
    reason: 'notReady',
    message: [`the worker was not ready within ${formatDuration(timeoutMs)}`, ...joined(why)].join(': '),
    hint:
      notReadyYet === null
        ? (withoutPreloadHint(context) ??
          heldHint(context) ??
          undeclaredHint(context) ??
          missingHint(timeoutMs, awaited, context))
        : lastResultHint(awaited),
    errorCode: null,
    outcome: null,
    stderrTail: context.stderrTail,
  };
}

/** Joins the parts that are not null into a list of one element; empty if there are none. */
function joined(parts: readonly (string | null)[]): readonly string[] {
  const given = parts.filter((part) => part !== null);
  return given.length === 0 ? [] : [given.join('; ')];
}

/** The sign that the worker did not give. Null if it gave it, or if listening is what it did not do. */
function missingSign(awaited: Awaited): string | null {
  const { readiness, startsMs, isNode } = awaited;
  if (isNode && (awaited.gaveSign || !needsSign(readiness))) return null;
  switch (readiness.when) {
    case 'auto':
      if (awaited.hasNotified) return 'it did not send READY=1';
      return awaited.reportsItself
        ? 'it did not report that it is ready, as an earlier worker did'
        : `it had not been running for ${formatDuration(startsMs)} (startsecs)`;
    case 'listens':
      return 'ready = "listen" is only for Node.js';
    case 'answers':
      return awaited.hasOwnSocket
        ? `GET ${readiness.path} was not answered`
        : `ready = "http:${readiness.path}" is only for Node.js and, with reuse_port (--reuse-port), for programs that no launcher in Node.js has started`;
    case 'sendsMessage':
      return "it did not send the message 'ready'";
    case 'notifies':
      return 'it did not send READY=1';
    case 'writesNewline':
      return `it did not write a newline to descriptor ${readiness.fd}`;
    case 'commandSucceeds':
      return `${readiness.command} did not end`;
    case 'lives':
      return `it had not been running for ${formatDuration(readiness.delayMs)}`;
    case 'connects':
      return `127.0.0.1:${readiness.port} did not answer`;
    case 'answersAt':
      return `the URL of ready = "http://…:${readiness.port}${readiness.path}" did not answer`;
  }
}

const slowStart = 'if the start is slow, raise ready_timeout (--ready-timeout)';

function lastResultHint({ readiness }: Awaited): string {
  return readiness.when === 'answers'
    ? `a worker is ready once its health path returns status 200–399; ${slowStart}`
    : `this is what was last found out about it; ${slowStart}`;
}

function missingHint(timeoutMs: number, awaited: Awaited, context: FailureContext): string {
  return awaited.isNode ? nodeHint(awaited, context) : otherHint(timeoutMs, awaited);
}

function nodeHint({ readiness, gaveSign, listens }: Awaited, { declared }: FailureContext): string {
  const manual = "(and has called worker.ready(), if it set ready: 'manual')";
  const listening =
    declared.length === 0
      ? `its code is loaded ${manual}`
      : `it listens on ${describeDeclared(declared)} ${manual}`;
  if (needsSign(readiness))
    return gaveSign
      ? `a Node.js worker has to ${declared.length === 0 ? 'load its code' : 'listen'} as well: it is ready once ${listening}; ${slowStart}`
      : `${signHint(readiness)}${listens ? '' : `, and once ${listening}`}; ${slowStart}`;
  switch (readiness.when) {
    case 'auto':
      return `a Node.js worker is ready once ${listening}; ${slowStart}. If Node.js only starts a program of another kind, set ready (--ready) to what shows that this is ready, such as delay:1s`;
    case 'listens':
      return `a worker is ready once ${listening}; ${slowStart}`;
    case 'answers':
      return `a worker is ready once ${listening}, and once GET ${readiness.path} also returns status 200–399, asked inside its process; ${slowStart}`;
  }
}

function otherHint(timeoutMs: number, awaited: Awaited): string {
  const { readiness, startsMs, hasNotified, reportsItself } = awaited;
  if (needsSign(readiness)) return `${signHint(readiness)}; ${slowStart}`;
  switch (readiness.when) {
    case 'auto':
      if (hasNotified)
        return `a program that has sent a message to NOTIFY_SOCKET is ready once it sends READY=1; ${slowStart}`;
      if (reportsItself)
        return `once a worker has reported that it is ready, later ones have to report it as well: by READY=1 (sd_notify), or by listening if it is Node.js; ${slowStart}`;
      return startsMs < timeoutMs
        ? `a program that sends no message is ready once it has been running for startsecs (--startsecs). If a script runs a Node.js tool first, this time begins when the tool has exited: raise ready_timeout (--ready-timeout)`
        : `a program that sends no message is ready once it has been running for startsecs (--startsecs), ${formatDuration(startsMs)}, which is not less than ready_timeout (--ready-timeout), ${formatDuration(timeoutMs)}: lower the first or raise the second`;
    case 'listens':
      return 'of a program that is not Node.js, this cannot be known: choose another way with ready (--ready), such as notify, delay:1s or tcp:PORT';
    case 'answers':
      return awaited.hasOwnSocket
        ? `a worker is ready once GET ${readiness.path} returns status 200–399; ${slowStart}`
        : 'give each worker a socket of its own, over which it can be asked, with reuse_port (--reuse-port), and start the program without a launcher such as npm; or choose another way with ready (--ready), such as notify, delay:1s or tcp:PORT';
  }
}

function signHint(readiness: SignReadiness): string {
  const as = (written: string): string =>
    `with ready = "${written}" (--ready ${written}), a worker is ready once`;
  switch (readiness.when) {
    case 'sendsMessage':
      return `${as('message')} it has called process.send('ready'), or sent the same over the IPC channel of Node.js`;
    case 'notifies':
      return `${as('notify')} it has sent READY=1 to NOTIFY_SOCKET`;
    case 'writesNewline':
      return `${as(`fd:${readiness.fd}`)} it has written a newline to that descriptor`;
    case 'commandSucceeds':
      return 'a worker is ready once the command of ready (--ready exec:COMMAND) exits with code 0';
    case 'lives':
      return 'a worker is ready once it has been running for the delay of ready (--ready delay:TIME)';
    case 'connects':
      return `${as(`tcp:${readiness.port}`)} 127.0.0.1 accepts a connection on that port`;
    case 'answersAt':
      return 'a worker is ready once GET of the URL of ready (--ready http://HOST:PORT/path) returns status 200–399';
  }
}
