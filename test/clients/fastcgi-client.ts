/** A FastCGI client that forgives nothing: one request at a time, over a connection for each or over one that is kept. */
import net from 'node:net';
import { messageOf, systemCode } from '../../src/shared/errors.ts';
import { runLoad, type Load, type LoadBounds } from '../helpers/load.ts';
import { failureKindOf, type FailureKind } from '../helpers/tally.ts';

export interface FastCgiLoadOptions extends LoadBounds {
  readonly port: number;
  readonly mode: 'fresh' | 'keepAlive';
  /** The script, an absolute path. */
  readonly script: string;
  /** What it has to print. */
  readonly expected: string;
  readonly paceMs: number;
}

interface Failed {
  readonly kind: FailureKind;
  readonly detail: string;
}

const types = { begin: 1, end: 3, params: 4, stdin: 5, stdout: 6 } as const;
const timeoutMs = 10_000;

export function startFastCgiLoad({
  port,
  mode,
  script,
  expected,
  paceMs,
  ...bounds
}: FastCgiLoadOptions): Load {
  const request = writeRequest(script, mode === 'keepAlive');
  return runLoad(bounds, async (run) => {
    while (!run.isOver()) {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      run.tally.connections += 1;
      do {
        if (socket.readableEnded || socket.destroyed) {
          run.tally.closedIdle += 1;
          break;
        }
        run.asks();
        const failure = await ask(socket, request, expected);
        if (failure !== null) {
          await run.failed(failure.kind, failure.detail);
          break;
        }
        run.answered();
        await run.rest(paceMs);
      } while (mode === 'keepAlive' && !run.isOver());
      socket.destroy();
    }
  });
}

/** One request over a connection of its own. Resolves to what the script has printed; rejects if that is not whole. */
export async function askFastCgi(port: number, script: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let bytes = Buffer.alloc(0);
  socket.write(writeRequest(script, false));
  for await (const chunk of socket) bytes = Buffer.concat([bytes, chunk as Buffer]);
  const answer = readAnswer(bytes);
  if (answer === null) throw new Error(`not whole: ${bytes.toString()}`);
  return bodyOf(answer);
}

/** Null: it was answered as expected. */
function ask(socket: net.Socket, request: Buffer, expected: string): Promise<Failed | null> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const settle = (failure: Failed | null): void => {
      clearTimeout(patience);
      socket.off('data', read).off('error', broken).off('close', ended);
      resolve(failure);
    };
    const read = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const answer = readAnswer(bytes);
      if (answer === null) return;
      settle(bodyOf(answer) === expected ? null : { kind: 'wrong', detail: answer });
    };
    const broken = (error: Error): void => {
      settle({ kind: failureKindOf(systemCode(error)), detail: messageOf(error) });
    };
    const ended = (): void => {
      settle({ kind: bytes.length === 0 ? 'unanswered' : 'earlyEnd', detail: bytes.toString() });
    };
    const patience = setTimeout(() => {
      settle({ kind: 'timedOut', detail: 'no whole answer' });
    }, timeoutMs);
    socket.on('data', read).on('error', broken).on('close', ended);
    socket.write(request);
  });
}

/** What the script has written, once the request has ended. */
function readAnswer(bytes: Buffer): string | null {
  let output = '';
  for (let at = 0; at + 8 <= bytes.length;) {
    const [type, length, padding] = [bytes[at + 1], bytes.readUInt16BE(at + 4), bytes[at + 6] ?? 0];
    const end = at + 8 + length;
    if (end + padding > bytes.length) return null;
    if (type === types.stdout) output += bytes.toString('utf8', at + 8, end);
    if (type === types.end) return output;
    at = end + padding;
  }
  return null;
}

function bodyOf(answer: string): string {
  return answer.slice(answer.indexOf('\r\n\r\n') + 4);
}

function writeRequest(script: string, keepsConnection: boolean): Buffer {
  const params = {
    SCRIPT_FILENAME: script,
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/',
    SERVER_PROTOCOL: 'HTTP/1.1',
  };
  const encoded = Object.entries(params).map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length, value.length]), Buffer.from(name + value)]),
  );
  return Buffer.concat([
    // Of the role responder.
    record(types.begin, Buffer.from([0, 1, keepsConnection ? 1 : 0, 0, 0, 0, 0, 0])),
    record(types.params, Buffer.concat(encoded)),
    record(types.params, Buffer.alloc(0)),
    record(types.stdin, Buffer.alloc(0)),
  ]);
}

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.from([1, type, 0, 1, 0, 0, 0, 0]);
  header.writeUInt16BE(content.length, 4);
  return Buffer.concat([header, content]);
}
