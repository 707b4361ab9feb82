/**
 * A gRPC client with the settings that it comes with: every call that does not end with OK is a failure. What it makes again
 * by itself, because the server has not looked at it (REFUSED_STREAM), nobody sees. It must not know who serves.
 */
import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import { messageOf } from '../../src/shared/errors.ts';
import { runLoad, type Load, type LoadBounds } from '../helpers/load.ts';

export interface GrpcLoadOptions extends LoadBounds {
  readonly port: number;
  readonly problemOf: (body: string) => string | null;
  readonly answered: (body: string) => void;
}

const asIs = (bytes: Buffer): Buffer => bytes;
const nothing = Buffer.alloc(0);

function connect(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure());
}

/** Unary calls, all clients over one channel. */
export function startGrpcLoad({ port, problemOf, answered, ...bounds }: GrpcLoadOptions): Load {
  const client = connect(port);
  const load = runLoad(bounds, async (run) => {
    while (!run.isOver()) {
      run.asks();
      const answer = await ask(client);
      const problem = 'error' in answer ? answer.error.message : problemOf(answer.body);
      if (problem !== null) {
        await run.failed('error' in answer ? 'other' : 'wrong', problem);
      } else if ('body' in answer) {
        run.answered();
        answered(answer.body);
      }
    }
  });
  void load.ended.then(() => {
    client.close();
  });
  return load;
}

function ask(client: Client): Promise<{ readonly body: string } | { readonly error: ServiceError }> {
  return new Promise((resolve) => {
    client.makeUnaryRequest('/test.Test/who', asIs, asIs, nothing, (error, value) => {
      resolve(error === null ? { body: String(value) } : { error });
    });
  });
}

export interface CountStream {
  /** What has come so far. */
  readonly messages: readonly string[];
  /** Resolves when the first message is there. */
  readonly begun: Promise<unknown>;
  /** Resolves to `OK`, or to what went wrong. */
  readonly ended: Promise<string>;
}

/** One call whose answer is a stream. Channels to the same address share a connection. */
export function openCountStream(port: number): CountStream {
  const client = connect(port);
  const messages: string[] = [];
  const stream = client.makeServerStreamRequest('/test.Test/count', asIs, asIs, nothing);
  const ended = new Promise<string>((resolve) => {
    stream.on('status', ({ code, details }) => {
      resolve(code === status.OK ? 'OK' : details);
    });
    stream.on('error', (error) => {
      resolve(messageOf(error));
    });
  });
  const begun = new Promise((resolve) => stream.once('data', resolve));
  stream.on('data', (bytes: Buffer) => messages.push(bytes.toString()));
  void ended.then(() => {
    client.close();
  });
  return { messages, begun, ended };
}
