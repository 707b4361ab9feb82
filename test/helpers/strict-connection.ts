/**
 * One client connection: a request at a time, and exactly how each of them ended. It must not know why requests are
 * made, nor ever make one twice.
 */
import type { Socket } from 'node:net';
import { messageOf, systemCode } from '../../src/shared/errors.ts';
import { readResponse, type Response } from './response-reader.ts';
import { failureKindOf, type FailureKind } from './tally.ts';

export interface Failed {
  readonly kind: FailureKind;
  readonly detail: string;
}

export type Answer = { readonly kind: 'answered'; readonly response: Response } | Failed;

/** `closed`: the server ended the connection while nothing was under way, which it may. */
export type Ending = { readonly kind: 'closed' } | Failed;

export interface StrictConnection {
  /** Why no further request can be written; null while one can. */
  ending(): Ending | null;
  /** Writes a request and waits for what becomes of it. Only while `ending()` is null, and one at a time. */
  ask(request: string, timeoutMs: number): Promise<Answer>;
  close(): void;
}

/** Resolves when the connection is established (under TLS: secured), or to why it could not be. */
export function openConnection(
  connect: () => Socket,
  readyEvent: 'connect' | 'secureConnect',
  timeoutMs: number,
): Promise<StrictConnection | Failed> {
  return new Promise((resolve) => {
    const socket = connect();
    const settle = (result: StrictConnection | Failed): void => {
      clearTimeout(patience);
      socket.off('error', failed);
      socket.off('close', ended);
      resolve(result);
    };
    const failed = (error: Error): void => {
      socket.on('error', () => undefined);
      settle({ kind: failureKindOf(systemCode(error)), detail: `while connecting: ${messageOf(error)}` });
    };
    // Under TLS the connection may end in the middle of the handshake.
    const ended = (): void => {
      settle({ kind: 'unanswered', detail: 'the connection ended while it was being made' });
    };
    const patience = setTimeout(() => {
      settle({ kind: 'timedOut', detail: `no connection within ${timeoutMs} ms` });
      socket.on('error', () => undefined);
      socket.destroy();
    }, timeoutMs);
    socket.on('error', failed);
    socket.on('close', ended);
    socket.once(readyEvent, () => {
      settle(overSocket(socket));
    });
  });
}

function overSocket(socket: Socket): StrictConnection {
  let bytes: Buffer = Buffer.alloc(0);
  let ending: Ending | null = null;
  let answer: ((answer: Answer) => void) | null = null;

  /** The first thing that happens to the connection decides, for the request under way and for all later ones. */
  function end(asked: Failed, idle: Ending): void {
    if (ending !== null) return;
    ending = answer === null ? idle : asked;
    answer?.(asked);
    socket.destroy();
  }

  function ended(): void {
    const asked: Failed =
      bytes.length > 0
        ? {
            kind: 'earlyEnd',
            detail: `the connection ended within the answer ${JSON.stringify(bytes.toString())}`,
          }
        : { kind: 'unanswered', detail: 'the connection ended without an answer to the request' };
    end(asked, { kind: 'closed' });
  }

  function wrong(detail: string): void {
    const failed: Failed = { kind: 'wrong', detail };
    end(failed, failed);
  }

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (ending !== null) return;
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    if (answer === null) {
      wrong(`nobody asked for ${JSON.stringify(bytes.toString())}`);
      return;
    }
    const reading = readResponse(bytes);
    if (reading.kind === 'incomplete') return;
    if (reading.kind === 'malformed') {
      wrong(reading.problem);
      return;
    }
    bytes = reading.rest;
    if (bytes.length > 0) wrong(`more than the answer: ${JSON.stringify(bytes.toString())}`);
    else answer({ kind: 'answered', response: reading.response });
  });
  socket.on('end', ended);
  socket.on('close', ended);
  socket.on('error', (error) => {
    const failed: Failed = { kind: failureKindOf(systemCode(error)), detail: messageOf(error) };
    end(failed, failed);
  });

  return {
    ending: () => ending,
    ask(request, timeoutMs) {
      return new Promise((resolve) => {
        const patience = setTimeout(() => {
          const failed: Failed = { kind: 'timedOut', detail: `no whole answer within ${timeoutMs} ms` };
          end(failed, failed);
        }, timeoutMs);
        answer = (result) => {
          clearTimeout(patience);
          answer = null;
          resolve(result);
        };
        socket.write(request);
      });
    },
    close() {
      ending ??= { kind: 'closed' };
      socket.destroy();
    },
  };
}
