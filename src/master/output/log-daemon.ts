/**
 * Sends messages to a system daemon that collects logs: each is a datagram to its UNIX socket. Messages for which the daemon has no room wait in a queue
 * of bounded length. Only while something waits does a timer check whether there is room.
 */
import { closeSync } from 'node:fs';
import type { MasterEvent } from '../../shared/events.ts';
import { loadOutputCalls, sendNow } from '../system-calls/output-calls.ts';
import { daemonReason, plainReason } from '../system-calls/plain-reasons.ts';
import { loadSystemCalls } from '../system-calls/c-library.ts';
import { connectDatagram } from '../system-calls/unix-socket-calls.ts';
import type { LogSource } from './log-file.ts';
import { type MessageOrigin, messagesOf } from './log-messages.ts';
import { createOutputLoss, littleWaitingBytes, mostWaitingBytes, tooLate } from './output-loss.ts';

export interface LogDaemon {
  /** Adds a source of lines. It has to be detached in the end. */
  attach(source: LogSource): void;
  /** Removes a source that sends nothing more. Without a source, the socket is closed once everything is sent. */
  detach(source: LogSource): void;
  /** Sends a message for each of these lines, at once or later. `isContinued`: the first line is the rest of one whose beginning was sent. */
  write(lines: Buffer, origin: MessageOrigin, time: Date, isContinued: boolean): void;
  configure(settings: { readonly overflow: 'block' | 'drop' }): void;
  /** Resolves when no message waits to be sent. */
  flushed(): Promise<void>;
  /** Whether a message waits to be sent, or lines that are lost are still being counted. */
  isBusy(): boolean;
  /** Counts lines that are not sent yet as lost, and reports them. For the end of the master, which cannot wait for them. */
  abandon(): void;
}

export interface LogDaemonParts {
  readonly protocol: 'syslog' | 'journal';
  readonly path: string;
  readonly overflow: 'block' | 'drop';
  readonly tell: (event: MasterEvent) => void;
  /** Called when the daemon comes into use, because it has sources or something waits to be sent, and when it no longer is. */
  readonly onUse: (isUsed: boolean) => void;
  readonly calls?: LogDaemonCalls;
}

export interface LogDaemonCalls {
  /** Connects to the socket. Returns a descriptor, or the name of the error. */
  readonly connect: (path: string) => number | string;
  /** Sends without waiting. Returns how many bytes were sent, or the name of the error: `EAGAIN` if there is no room. */
  readonly send: (fd: number, message: Uint8Array) => number | string;
  readonly close: (fd: number) => void;
  /** Calls back after `delayMs`, without keeping the process alive. */
  readonly arm: (delayMs: number, callback: () => void) => void;
  readonly nowMs: () => number;
}

const realCalls: LogDaemonCalls = {
  connect: connectDatagram,
  send: sendNow,
  close: closeSync,
  arm: (delayMs, callback) => {
    setTimeout(callback, delayMs).unref();
  },
  nowMs: () => performance.now(),
};

/** Loads the system calls. Has to be called before a daemon is used. */
export async function loadDaemonCalls(): Promise<void> {
  await loadSystemCalls();
  await loadOutputCalls();
}

/** The pause before checking for room again. It is doubled after each check in vain. */
const firstDelayMs = 1;
const lastDelayMs = 500;
/** How long a daemon may be away, for example while it restarts, before waiting messages are lost; and how often it is looked for after that. */
const patienceMs = 5_000;
const lookEveryMs = 1_000;
/** Errors that concern a message, and not the daemon. */
const ofMessage = ['EMSGSIZE', 'EINVAL'];

export function createLogDaemon({
  protocol,
  path,
  overflow,
  tell,
  onUse,
  calls = realCalls,
}: LogDaemonParts): LogDaemon {
  const { nowMs } = calls;
  const loss = createOutputLoss({ path, tell, nowMs });
  const sources = new Set<LogSource>();
  let drops = overflow === 'drop';
  /** Messages that were sent stay at the front of the queue until they are most of it. */
  let queue: Uint8Array[] = [];
  let sent = 0;
  let queuedBytes = 0;
  let fd: number | null = null;
  let areHeld = false;
  let isArmed = false;
  let delayMs = firstDelayMs;
  /** Since when there is no daemon (null: there is one), and when it was last looked for. */
  let awaySince: number | null = null;
  let lookedAt = 0;
  let whenFlushed: (() => void)[] = [];

  function hold(isHeld: boolean): void {
    if (areHeld === isHeld) return;
    areHeld = isHeld;
    for (const source of sources) source.hold(isHeld);
  }

  function hasGivenUp(): boolean {
    return awaySince !== null && nowMs() - awaySince >= patienceMs;
  }

  /** Connects to the daemon. Returns null, or why that fails. */
  function connect(): string | null {
    if (fd !== null) return null;
    lookedAt = nowMs();
    const made = calls.connect(path);
    if (typeof made === 'string') return made;
    fd = made;
    return null;
  }

  function disconnect(): void {
    if (fd !== null) calls.close(fd);
    fd = null;
  }

  /** Sends as many messages as the daemon accepts. */
  function sendWaiting(): void {
    let hasMoved = false;
    for (let next = queue[sent]; next !== undefined; next = queue[sent]) {
      const problem = sendOne(next);
      if (problem === 'EINTR') continue;
      if (problem === null || ofMessage.includes(problem)) {
        if (problem === null) awaySince = null;
        else loss.lose('cannotWrite', { lines: 1, bytes: next.length }, plainReason(problem));
        hasMoved = true;
        sent += 1;
        queuedBytes -= next.length;
        if (problem === null) loss.wrote(next.length, queuedBytes <= littleWaitingBytes);
        continue;
      }
      delayMs = hasMoved ? firstDelayMs : Math.min(2 * delayMs, lastDelayMs);
      if (problem !== 'EAGAIN' && problem !== 'ENOBUFS') isAway(problem);
      break;
    }
    settle();
  }

  /** Sends one message. Returns null, or why that fails. */
  function sendOne(message: Uint8Array): string | null {
    // A daemon that was restarted has another socket at the same path.
    for (let attempt = 0; ; attempt += 1) {
      const problem = connect();
      if (problem !== null) return problem;
      const result = fd === null ? 'ENOTCONN' : calls.send(fd, message);
      if (typeof result === 'number') return null;
      if (result === 'EAGAIN' || result === 'ENOBUFS' || result === 'EINTR' || ofMessage.includes(result))
        return result;
      disconnect();
      if (attempt > 0) return result;
    }
  }

  function isAway(problem: string): void {
    awaySince ??= nowMs();
    if (hasGivenUp()) loseWaiting(daemonReason(problem));
  }

  function loseWaiting(problem: string): void {
    loss.lose('cannotWrite', { lines: queue.length - sent, bytes: queuedBytes }, problem);
    sent = queue.length;
    queuedBytes = 0;
  }

  function settle(): void {
    if (sent === queue.length || sent > 1_000) {
      queue = queue.slice(sent);
      sent = 0;
    }
    if (queuedBytes <= littleWaitingBytes) hold(false);
    if (queue.length > 0) {
      lookAgain();
      return;
    }
    delayMs = firstDelayMs;
    const callbacks = whenFlushed;
    whenFlushed = [];
    for (const callback of callbacks) callback();
    closeIfUnused();
  }

  function lookAgain(): void {
    if (isArmed) return;
    isArmed = true;
    calls.arm(delayMs, () => {
      isArmed = false;
      sendWaiting();
    });
  }

  function closeIfUnused(): void {
    if (sources.size > 0 || queue.length > 0) return;
    loss.end();
    disconnect();
    onUse(false);
  }

  return {
    attach(source) {
      sources.add(source);
      onUse(true);
      if (areHeld) source.hold(true);
    },
    detach(source) {
      sources.delete(source);
      closeIfUnused();
    },
    write(lines, origin, time, isContinued) {
      const messages = messagesOf(protocol, lines, origin, time, isContinued);
      const bytes = messages.reduce((sum, { length }) => sum + length, 0);
      const amount = { lines: messages.length, bytes };
      if (hasGivenUp() && nowMs() - lookedAt < lookEveryMs) {
        loss.lose('cannotWrite', amount, null);
        return;
      }
      if (drops && queuedBytes > mostWaitingBytes) {
        loss.lose('tooFast', amount, null);
        return;
      }
      for (const message of messages) queue.push(message);
      queuedBytes += bytes;
      if (!isArmed) sendWaiting();
      if (!drops && queuedBytes > mostWaitingBytes) hold(true);
    },
    configure(settings) {
      drops = settings.overflow === 'drop';
      if (drops) hold(false);
    },
    isBusy: () => queue.length > 0 || loss.isCounting(),
    async flushed() {
      if (queue.length > 0)
        await new Promise<void>((resolve) => {
          whenFlushed.push(resolve);
        });
    },
    abandon() {
      if (sent === queue.length) return;
      loseWaiting(tooLate);
      settle();
      loss.end();
    },
  };
}
