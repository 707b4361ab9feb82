/**
 * A client of a line echo that forgives nothing: a few lines on a connection, which it then ends itself. Each line has
 * to come back as it is. It must not know who serves.
 */
import net from 'node:net';
import { messageOf, systemCode } from '../../src/shared/errors.ts';
import { runLoad, type Load, type LoadBounds } from '../helpers/load.ts';
import { failureKindOf, type FailureKind } from '../helpers/tally.ts';

export interface LineLoadOptions extends LoadBounds {
  readonly port: number;
  readonly linesPerConnection: number;
}

interface Outcome {
  readonly answered: number;
  readonly failure: { readonly kind: FailureKind; readonly detail: string } | null;
}

const timeoutMs = 10_000;

export function startLineLoad({ port, linesPerConnection, ...bounds }: LineLoadOptions): Load {
  return runLoad(bounds, async (run) => {
    while (!run.isOver()) {
      const { answered, failure } = await talk(port, linesPerConnection);
      run.tally.connections += 1;
      for (let at = 0; at < answered; at += 1) {
        run.asks();
        run.answered();
      }
      if (failure !== null) await run.failed(failure.kind, failure.detail);
    }
  });
}

/** One connection, from its opening to its end. */
function talk(port: number, lines: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = '';
    let answered = 0;
    const settle = (failure: Outcome['failure']): void => {
      clearTimeout(patience);
      resolve({ answered, failure });
      socket.destroy();
    };
    const patience = setTimeout(() => {
      settle({ kind: 'timedOut', detail: `${answered} of ${lines} lines` });
    }, timeoutMs);
    const say = (): void => {
      socket.write(`line ${answered}\n`);
    };
    socket.setEncoding('utf8');
    socket.on('connect', say);
    socket.on('error', (error) => {
      settle({ kind: failureKindOf(systemCode(error)), detail: messageOf(error) });
    });
    socket.on('data', (text: string) => {
      received += text;
      const expected = `line ${answered}\n`;
      if (!expected.startsWith(received)) settle({ kind: 'wrong', detail: received });
      if (received !== expected) return;
      received = '';
      answered += 1;
      if (answered < lines) say();
      else socket.end();
    });
    socket.on('close', () => {
      if (answered === lines && received === '') settle(null);
      else
        settle({
          kind: received === '' ? 'unanswered' : 'earlyEnd',
          detail: `${answered} of ${lines} lines`,
        });
    });
  });
}
