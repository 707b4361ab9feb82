import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FinalState } from '../../../../src/worker/migration/messages.ts';
import {
  createConcurrencyLimit,
  migrateCustomProtocol,
  type MigrationRequest,
  type CustomProtocolParts,
} from '../../../../src/worker/migration/migrate-custom-protocol.ts';
import type { Destination } from '../../../../src/worker/migration/source-end.ts';

/** What a destination does with an offer: it holds the connection and asks for the final state, or refuses. */
type Answer = (load: () => FinalState | null) => boolean;

function destination(
  ...answers: readonly Answer[]
): Destination & { readonly states: (FinalState | null)[] } {
  const states: (FinalState | null)[] = [];
  let offered = 0;
  return {
    states,
    inFlight: () => 0,
    offered: () => offered,
    offer: () => undefined,
    offerInTwoSteps(_offer, _handle, load, answered) {
      const answer = answers[offered];
      offered += 1;
      setImmediate(() => {
        const isTaken =
          answer?.(() => {
            const loaded = load();
            states.push(loaded);
            return loaded;
          }) ?? false;
        answered(isTaken);
      });
    },
  };
}

const among = (...destinations: readonly Destination[]): CustomProtocolParts => ({
  destinations: { wait: () => Promise.resolve(), list: () => destinations },
  limit: createConcurrencyLimit(1),
});

const holds: Answer = (load) => load() !== null;
const refuses: Answer = () => false;

function request(state: () => unknown, released: () => void = () => undefined): MigrationRequest {
  return { to: 'test', state, released };
}

describe('a connection that is migrated away', () => {
  const events = { begun: () => undefined, ended: () => undefined };
  let server: net.Server;
  let socket: net.Socket;
  let client: net.Socket;

  beforeEach(async () => {
    server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    client = net.connect(port, '127.0.0.1');
    [socket] = (await once(server, 'connection')) as [net.Socket];
  });

  afterEach(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });

  it('is let go of in the turn in which its state is asked for', async () => {
    const order: string[] = [];
    const taking = destination((load) => {
      order.push('held');
      load();
      order.push('loaded');
      return true;
    });
    const migrated = migrateCustomProtocol(
      socket,
      request(
        () => order.push('state'),
        () => order.push('released'),
      ),
      among(taking),
      events,
    );
    socket.write('while it is offered');
    expect(await migrated).toBe('taken');
    expect(order).toEqual(['held', 'state', 'released', 'loaded']);
    expect(taking.states).toMatchObject([{ state: 2, unread: '' }]);
    expect(socket.destroyed).toBe(true);
  });

  it('is offered again when what was written meanwhile has not gone out', async () => {
    let isFull = true;
    const taking = destination((load) => {
      // More than the kernel takes while nobody reads.
      if (isFull) socket.write(Buffer.alloc(20_000_000));
      isFull = false;
      client.resume();
      return load() !== null;
    }, holds);
    let asked = 0;
    const migrated = migrateCustomProtocol(
      socket,
      request(() => ++asked),
      among(taking),
      events,
    );
    expect(await migrated).toBe('taken');
    expect(taking.states).toMatchObject([null, { state: 1, unread: '' }]);
  });

  it('takes along what was read and not used, and nobody here hears of it', async () => {
    const heard: unknown[] = [];
    socket.on('data', (chunk) => heard.push(chunk));
    socket.pause();
    client.write('unused');
    while (socket.readableLength === 0) await new Promise(setImmediate);
    const taking = destination(holds);
    await migrateCustomProtocol(
      socket,
      request(() => null),
      among(taking),
      events,
    );
    expect(taking.states).toMatchObject([{ state: null, unread: Buffer.from('unused').toString('base64') }]);
    expect(heard).toEqual([]);
  });

  it('takes along what was read as text and not used, with the first bytes of a character', async () => {
    socket.setEncoding('utf8').pause();
    const sent = Buffer.from('unused \u{1f600}').subarray(0, -1);
    client.write(sent);
    while (socket.bytesRead < sent.length) await new Promise(setImmediate);
    const taking = destination(holds);
    await migrateCustomProtocol(
      socket,
      request(() => null),
      among(taking),
      events,
    );
    expect(taking.states).toMatchObject([{ unread: sent.toString('base64') }]);
  });

  it('gives back what was read as text when it stays', async () => {
    socket.setEncoding('utf8').pause();
    const text = 'unused \u{1f600}';
    const sent = Buffer.from(text);
    client.write(sent.subarray(0, -1));
    while (socket.bytesRead < sent.length - 1) await new Promise(setImmediate);
    const migrated = migrateCustomProtocol(
      socket,
      request(
        () => null,
        () => {
          throw new Error('not now');
        },
      ),
      among(destination(holds)),
      events,
    );
    await expect(migrated).rejects.toThrow('not now');
    let heard = '';
    socket.on('data', (part: string) => (heard += part)).resume();
    client.write(sent.subarray(-1));
    while (heard.length < text.length) await new Promise(setImmediate);
    expect(heard).toBe(text);
  });

  it('stays and is read on when its state cannot be told', async () => {
    const migrated = migrateCustomProtocol(
      socket,
      request(() => {
        throw new Error('not now');
      }),
      among(destination(holds)),
      events,
    );
    await expect(migrated).rejects.toThrow('not now');
    client.write('still here');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toBe('still here');
  });

  it('goes to the next one when the first refuses, and stays when all do', async () => {
    const second = destination(holds, refuses);
    const state = request(() => null);
    expect(
      await migrateCustomProtocol(socket, state, among(destination(refuses), destination(refuses)), events),
    ).toBe('nobody');
    expect(await migrateCustomProtocol(socket, state, among(destination(refuses), second), events)).toBe(
      'taken',
    );
    expect(second.offered()).toBe(1);
  });

  it('cannot be one that has been ended', async () => {
    socket.end();
    expect(
      await migrateCustomProtocol(
        socket,
        request(() => null),
        among(destination(holds)),
        events,
      ),
    ).toBe('notMovable');
  });
});

it('so many have their turn at a time, the others when it is release, in order', async () => {
  const limit = createConcurrencyLimit(2);
  const order: number[] = [];
  const takes = [1, 2, 3, 4].map(async (who) => {
    const release = await limit.acquire();
    order.push(who);
    return release;
  });
  const [first, second] = await Promise.all(takes.slice(0, 2));
  expect(order).toEqual([1, 2]);
  second?.();
  (await takes[2])?.();
  await takes[3];
  expect(order).toEqual([1, 2, 3, 4]);
  first?.();
});
