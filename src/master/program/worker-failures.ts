/** Says why a worker failed, as a Failure: what the log, the control socket and exit messages show. Pure. */
import { errorLineOf } from '../../shared/error-line.ts';
import { reasonOf } from '../../shared/describe-failure.ts';
import { errorCodes, GracefulRunError, messageOf, systemCode } from '../../shared/errors.ts';
import type { Failure, Outcome } from '../../shared/events.ts';
import { howToHold } from '../../shared/how-to-hold.ts';
import { cannotInherit, heldByMaster, notInherited } from '../../shared/protocol.ts';

/** What is known of a worker at the moment of its failure. */
export interface FailureContext {
  readonly wasReady: boolean;
  /** The last problem with its health path; null if the path was not requested, or there was no problem. */
  readonly notReadyYet: string | null;
  /** What the worker last said of itself over sd_notify, for people; null if nothing. */
  readonly says: string | null;
  readonly stderrTail: readonly string[];
  /** Addresses at which the worker listened although they are not declared. */
  readonly undeclared: readonly string[];
  /** The pid of one of its processes that runs Node.js without the preload; null if none was found. */
  readonly withoutPreload: number | null;
  /** The declared addresses: TCP ports as numbers, others as `unix:/run/app.sock` or `udp:127.0.0.1:53`. */
  readonly declared: readonly (number | string)[];
}

export function exitFailure(outcome: Outcome, context: FailureContext): Failure {
  const how =
    outcome.signal !== null
      ? `was killed by ${outcome.signal}`
      : outcome.code === null
        ? 'ended'
        : `exited with code ${outcome.code}`;
  return {
    reason: 'exited',
    message: `the worker ${how} ${context.wasReady ? 'unexpectedly' : `before it was ready${context.says === null ? '' : `; it said: ${context.says}`}`}`,
    hint: exitHint(outcome, context),
    errorCode: null,
    outcome,
    stderrTail: context.stderrTail,
  };
}

/** The failure of a worker whose listening process is gone, while its command keeps running. */
export function lostFailure(pid: number, { stderrTail }: FailureContext): Failure {
  return {
    reason: 'exited',
    message: `its process ${pid} ended unexpectedly, but the command that started it is still running`,
    hint: 'the worker is started again unless the command itself starts the program again within ready_timeout (--ready-timeout)',
    errorCode: null,
    outcome: null,
    stderrTail,
  };
}

/** The failure of a worker whose listening process is gone, and whose command has started another one by itself. */
export function restartedFailure(before: number, after: number, { stderrTail }: FailureContext): Failure {
  return {
    reason: 'exited',
    message: `its process ${before} ended unexpectedly, and process ${after} took its place`,
    hint: stderrTail.length > 0 ? lastWordsHint : silentHint,
    errorCode: null,
    outcome: null,
    stderrTail,
  };
}

/** The failure of a worker that has reported that it was told of the listener and did not inherit it. */
export function notInheritedFailure(context: FailureContext): Failure {
  return {
    reason: 'notReady',
    message: 'the worker did not inherit the listener',
    hint: otherRuntimeHint(context) ?? notInheritedHint,
    errorCode: null,
    outcome: null,
    stderrTail: context.stderrTail,
  };
}

/** The failure of a worker that said it is ready, was admitted, and does not accept. */
export function notAdmittedFailure(problem: string, { stderrTail }: FailureContext): Failure {
  return {
    reason: 'notAdmitted',
    message: `the worker was ready, and then did not accept connections: ${problem}`,
    hint: 'the program may block its event loop right after it listens: run it without graceful-run to see what it does then',
    errorCode: null,
    outcome: null,
    stderrTail,
  };
}

export function isNotInherited(stderrTail: readonly string[]): boolean {
  return stderrTail.some((line) => line.includes(notInherited));
}

export function notStartedFailure(error: unknown): Failure {
  return {
    reason: 'notStarted',
    message: startProblem(error),
    hint: error instanceof GracefulRunError ? error.hint : null,
    errorCode: error instanceof GracefulRunError ? error.code : null,
    outcome: null,
    stderrTail: [],
  };
}

/** The message for an error of the start. Errors of Node.js about arguments that it refuses are not shown, because they contain the values of variables. */
function startProblem(error: unknown): string {
  const code = systemCode(error);
  return code?.startsWith('ERR_') === true
    ? `cannot start the worker: Node.js refuses its arguments or environment (${code})`
    : messageOf(error);
}

function exitHint(outcome: Outcome, context: FailureContext): string | null {
  if (context.wasReady) return null;
  const permission = permissionHint(context);
  if (permission !== null) return permission;
  const otherRuntime = otherRuntimeHint(context);
  if (otherRuntime !== null) return otherRuntime;
  if (isNotInherited(context.stderrTail)) return notInheritedHint;
  const held = withoutPreloadHint(context) ?? heldHint(context) ?? heldDatagramsHint(context);
  if (held !== null) return held;
  if (context.stderrTail.some((line) => line.includes('EADDRINUSE'))) return takenHint(context);
  // The text of strerror(3), which a program in another language prints.
  if (context.stderrTail.some((line) => /address already in use/i.test(line)))
    return bindsByItselfHint(context);
  if (outcome.code === 0) return 'it ended by itself: the command must stay in the foreground';
  const hint = undeclaredHint(context);
  // The error itself is already a part of the reason (describe-failure.ts, reasonOf).
  if (hint !== null || errorLineOf(context.stderrTail) !== null) return hint;
  return context.stderrTail.length > 0 ? lastWordsHint : silentHint;
}

/** The hint if something in the worker binds the very port that is held for it. */
export function heldHint({ stderrTail, declared }: FailureContext): string | null {
  const text = stderrTail.join('\n');
  // The port may be in the message of the error, or in the properties that Node.js prints with it.
  const forms = [/EADDRINUSE\S* (?:address already in use )?\S*:(\d+)/g, /^ +port: (\d+)$/gm];
  const taken = text.includes('EADDRINUSE')
    ? forms.flatMap((form) => [...text.matchAll(form)].map(([, port]) => Number(port)))
    : [];
  const port = taken.find((one) => declared.includes(one));
  if (port === undefined && !text.includes(heldByMaster)) return null;
  return `graceful-run holds ${port === undefined ? describeDeclared(declared) : `port ${port}`} for the process that it starts, but the program binds the port a second time: in a second server on the same address, in a worker thread, or in a process that it starts. If it uses node:cluster, leave cluster.schedulingPolicy at SCHED_RR and listen without exclusive: true, or use workers (--workers) instead. If a wrapper starts the server, start Node.js itself (node --import tsx app.ts, not tsx app.ts). If a script sets NODE_OPTIONS, let it keep the existing value (${keepOptions})`;
}

/** The hint if a program that is not Node.js calls bind(2), most often for the very address that is held for it. */
function bindsByItselfHint({ declared }: FailureContext): string {
  if (declared.length === 0)
    return 'the program binds an address that is in use: to find what holds it, run as root: ss -ltnup';
  return `the program binds an address that is in use. If that is ${describeDeclared(declared)}, which graceful-run holds for it, let the program serve from the descriptor that it inherits (LISTEN_FDS, or {fd} in its command; docs/programs.md has examples). A program that can only bind by itself, such as python -m http.server, cannot run on an address that graceful-run holds: let it bind a port of its own, behind a proxy`;
}

/** The hint if a socket of `node:dgram` binds an address that is held: `bind EADDRINUSE 127.0.0.1:5353`. */
function heldDatagramsHint({ stderrTail, declared }: FailureContext): string | null {
  const [, port = ''] = /bind EADDRINUSE \S*:(\d+)/.exec(stderrTail.join('\n')) ?? [];
  const held = declared.find((one) => typeof one === 'string' && /^udp:.*:(\d+)$/.exec(one)?.[1] === port);
  return held === undefined
    ? null
    : `graceful-run holds ${held} for one socket of the process that it starts: make it with the family of that address (udp4 or udp6), and bind it once, not in a worker thread, a process of node:cluster or another process`;
}

/** The declared addresses as text: `port 80, 81, udp:127.0.0.1:53`. */
export function describeDeclared(declared: FailureContext['declared']): string {
  const ports = declared.filter((one) => typeof one === 'number');
  const others = declared.filter((one) => typeof one === 'string');
  return [...(ports.length === 0 ? [] : [`port ${ports.join(', ')}`]), ...others].join(', ');
}

/** The hint for Node.js without the preload: its listen() binds the port by itself, which fails, or binds another address. */
export function withoutPreloadHint({ withoutPreload }: FailureContext): string | null {
  if (withoutPreload === null) return null;
  return `process ${withoutPreload} runs Node.js without the NODE_OPTIONS that graceful-run has set, and so did not get the listener: the script that starts it sets NODE_OPTIONS, and calls Node.js by its path. Let the script keep the existing value (${keepOptions}), or call Node.js by its name, node`;
}

const keepOptions = 'NODE_OPTIONS="$NODE_OPTIONS --your-option"';

/** The hint for an address in use, which Node.js names: `listen EADDRINUSE: address already in use :::9001`. */
function takenHint({ stderrTail, declared }: FailureContext): string {
  const [, address] = /EADDRINUSE: address already in use (\S+)/.exec(stderrTail.join('\n')) ?? [];
  const [, port] = /:(\d+)$/.exec(address ?? '') ?? [];
  if (port !== undefined && declared.includes(Number(port)))
    return `graceful-run holds ${address ?? port}, but the process that listens did not inherit it: start the program itself, not through a wrapper (node --import tsx app.ts, not tsx app.ts)`;
  const isPath = address?.startsWith('/') === true;
  const holders = `by another process (to find it, run as root: ${isPath ? 'ss -lxp' : 'ss -ltnup'}) or, at a reload, by the old generation, which holds it until it has exited`;
  const isLeft = isPath ? '. If no process listens on it, remove it' : '';
  // A program without a listener, such as a queue worker, cannot have one.
  const isServed =
    (port === undefined && !isPath) || address === undefined || declared.length === 0
      ? ''
      : `. If clients use it, let graceful-run hold it too: ${howToHold(address)}`;
  return `${address ?? 'its address'} is in use ${holders}${isLeft}${isServed}`;
}

/** What Deno and Bun print if they bind the port that is held. Deno colours its errors. */
const otherRuntimes: readonly (readonly [name: string, says: RegExp])[] = [
  ['Deno', /AddrInUse/],
  ['Deno', new RegExp(cannotInherit)],
  ['Bun', /Failed to start server\. Is port \d+ in use/],
];

function otherRuntimeHint({ stderrTail }: FailureContext): string | null {
  const [name] = otherRuntimes.find(([, says]) => stderrTail.some((line) => says.test(line))) ?? [];
  if (name === undefined) return null;
  return `${name} cannot serve from a listener that it inherits, and graceful-run holds the port: run the program with Node.js, or ${name} without graceful-run`;
}

/** The hint for Node.js under its permission model, if a script started it: it may not read the preload. */
function permissionHint({ stderrTail }: FailureContext): string | null {
  const [, folder] =
    /resource: '(.*)\/(?:preload|boot|after-admission|health)\.cjs'/.exec(stderrTail.join('\n')) ?? [];
  return folder === undefined
    ? null
    : `the permission model of Node.js does not let it read the files that graceful-run loads into it: add --allow-fs-read=${folder}/* to --permission`;
}

const notInheritedHint =
  'the wrapper that the error names closed the file descriptor of the listener: start the program without it (-- node app.js), or let the wrapper pass descriptors on (Python: close_fds=False)';
const lastWordsHint = 'the last lines that it wrote to stderr say why';
const silentHint = 'it wrote nothing to stderr: run the command by itself to see why';

export function undeclaredHint({ undeclared, declared }: FailureContext): string | null {
  if (undeclared.length === 0 || declared.length === 0) return null;
  return `it listened on ${undeclared.join(', ')}, but graceful-run holds ${describeDeclared(declared)}: set port (--port) to the port of the program, or let the program listen on process.env.PORT`;
}

/** The error of a first start whose generation failed: `startFailed`, or the reason why the command could not be run, such as `commandNotFound`. */
export function startFailed(failure: Failure): GracefulRunError {
  const known = errorCodes.find((code) => code === failure.errorCode);
  return new GracefulRunError(
    known ?? 'startFailed',
    known === undefined ? `cannot start: ${reasonOf(failure)}` : failure.message,
    {
      ...(failure.hint === null ? {} : { hint: failure.hint }),
    },
  );
}
