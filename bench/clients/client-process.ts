/** Runs a client in a process of its own, so that the bench's own work does not affect the measurement. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

export interface ClientProcess {
  tell(order: object | string): void;
  /** Resolves to the next message of the client. */
  next(): Promise<unknown>;
  end(): void;
}

const patienceMs = 60_000;

/** Resolves when the client is ready for its orders. */
export async function startClient(file: string): Promise<ClientProcess> {
  const child = fork(new URL(file, import.meta.url));
  const next = async (): Promise<unknown> => {
    const [message] = (await once(child, 'message', {
      signal: AbortSignal.timeout(patienceMs),
    })) as unknown[];
    return message;
  };
  await next();
  return {
    tell(order) {
      child.send(order);
    },
    next,
    end() {
      child.kill('SIGKILL');
    },
  };
}
