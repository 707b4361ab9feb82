/**
 * An HTTP/2 client that forgives nothing but what the protocol does: a request that the server refused without having
 * looked at it (REFUSED_STREAM after a GOAWAY; RFC 9113, 8.7) is made again, and counted. It must not know who serves.
 */
import { once } from 'node:events';
import http2, { type ClientHttp2Session } from 'node:http2';
import { messageOf, systemCode } from '../../src/shared/errors.ts';
import { runLoad, type Load, type LoadBounds, type Run } from '../helpers/load.ts';
import { failureKindOf, type FailureKind } from '../helpers/tally.ts';

export interface Http2LoadOptions extends LoadBounds {
  readonly port: number;
  readonly problemOf: (body: string) => string | null;
  readonly answered?: (body: string) => void;
}

type Answer =
  | { readonly kind: 'answered'; readonly body: string }
  | { readonly kind: 'refusedUnseen' }
  | { readonly kind: FailureKind; readonly detail: string };

const timeoutMs = 10_000;

export function startHttp2Load({ port, problemOf, answered, ...bounds }: Http2LoadOptions): Load {
  return runLoad(bounds, async (run) => {
    while (!run.isOver()) {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      const failures: unknown[] = [];
      const seen = { goaway: false };
      session.on('error', (error) => failures.push(error));
      session.on('goaway', () => {
        seen.goaway = true;
      });
      await Promise.race([once(session, 'connect'), once(session, 'close')]).catch(() => undefined);
      const [failure] = failures;
      if (failure !== undefined) {
        await run.failed(failureKindOf(systemCode(failure)), messageOf(failure));
        continue;
      }
      run.tally.connections += 1;
      await use(run, session);
      if (seen.goaway) run.tally.closedAsAnnounced += 1;
      else if (session.closed) run.tally.closedIdle += 1;
      session.destroy();
    }
  });

  /** Makes requests in a session, one at a time, until it takes no more. */
  async function use(run: Run, session: ClientHttp2Session): Promise<void> {
    while (!run.isOver() && !session.closed && !session.destroyed) {
      run.asks();
      const answer = await ask(session);
      if (answer.kind === 'refusedUnseen') {
        run.tally.refusedUnseen += 1;
        return;
      }
      if (answer.kind !== 'answered') {
        await run.failed(answer.kind, answer.detail);
        return;
      }
      const problem = problemOf(answer.body);
      if (problem !== null) {
        await run.failed('wrong', problem);
        continue;
      }
      run.answered();
      answered?.(answer.body);
    }
  }
}

function ask(session: ClientHttp2Session): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/' });
    let status: number | undefined;
    let body = '';
    let isWhole = false;
    let failure: Answer | null = null;
    const patience = setTimeout(() => {
      failure = { kind: 'timedOut', detail: `no whole answer within ${timeoutMs} ms` };
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }, timeoutMs);
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('data', (text: string) => {
      body += text;
    });
    stream.on('end', () => {
      isWhole = status !== undefined;
    });
    stream.on('error', (error) => {
      failure ??= { kind: failureKindOf(systemCode(error)), detail: messageOf(error) };
    });
    stream.on('close', () => {
      clearTimeout(patience);
      resolve(read());
    });

    function read(): Answer {
      if (stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM) return { kind: 'refusedUnseen' };
      if (failure !== null) return failure;
      if (!isWhole)
        return {
          kind: status === undefined ? 'unanswered' : 'earlyEnd',
          detail: `reset code ${stream.rstCode}`,
        };
      return status === 200 ? { kind: 'answered', body } : { kind: 'wrong', detail: `status ${status}` };
    }
  });
}
