import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { giveAway, type Gift, type GivingParts } from '../../../../src/worker/migration/give-connection.ts';
import type { Cargo, Outbound } from '../../../../src/worker/migration/links.ts';
import { createTurns } from '../../../../src/worker/migration/concurrency-limit.ts';

/** What a successor does with an offer: it holds the connection and asks for the cargo, or refuses. */
type Answer = (load: () => Cargo | null) => boolean;

function successor(...answers: readonly Answer[]): Outbound & { readonly cargo: (Cargo | null)[] } {
  const cargo: (Cargo | null)[] = [];
  let offered = 0;
  return {
    cargo,
    inFlight: () => 0,
    offered: () => offered,
    offer: () => undefined,
    entrust(_parcel, _handle, load, answered) {
      const answer = answers[offered];
      offered += 1;
      setImmediate(() => {
        const isTaken =
          answer?.(() => {
            const loaded = load();
            cargo.push(loaded);
            return loaded;
          }) ?? false;
        answered(isTaken);
      });
    },
  };
}

const among = (...successors: readonly Outbound[]): GivingParts => ({
  successors: { wait: () => Promise.resolve(), list: () => successors },
  turns: createTurns(1),
});

const holds: Answer = (load) => load() !== null;
const refuses: Answer = () => false;

function gift(state: () => unknown, released: () => void = () => undefined): Gift {
  return { to: 'test', state, released };
}

describe('a connection that is given away', () => {
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
    const taker = successor((load) => {
      order.push('held');
      load();
      order.push('loaded');
      return true;
    });
    const given = giveAway(
      socket,
      gift(
        () => order.push('state'),
        () => order.push('released'),
      ),
      among(taker),
      events,
    );
    socket.write('while it is offered');
    expect(await given).toBe('taken');
    expect(order).toEqual(['held', 'state', 'released', 'loaded']);
    expect(taker.cargo).toMatchObject([{ state: 2, unread: '' }]);
    expect(socket.destroyed).toBe(true);
  });

  it('is offered again when what was written meanwhile has not gone out', async () => {
    let isFull = true;
    const taker = successor((load) => {
      // More than the kernel takes while nobody reads.
      if (isFull) socket.write(Buffer.alloc(20_000_000));
      isFull = false;
      client.resume();
      return load() !== null;
    }, holds);
    let asked = 0;
    const given = giveAway(
      socket,
      gift(() => ++asked),
      among(taker),
      events,
    );
    expect(await given).toBe('taken');
    expect(taker.cargo).toMatchObject([null, { state: 1, unread: '' }]);
  });

  it('takes along what was read and not used, and nobody here hears of it', async () => {
    const heard: unknown[] = [];
    socket.on('data', (chunk) => heard.push(chunk));
    socket.pause();
    client.write('unused');
    while (socket.readableLength === 0) await new Promise(setImmediate);
    const taker = successor(holds);
    await giveAway(
      socket,
      gift(() => null),
      among(taker),
      events,
    );
    expect(taker.cargo).toMatchObject([{ state: null, unread: Buffer.from('unused').toString('base64') }]);
    expect(heard).toEqual([]);
  });

  it('stays and is read on when its state cannot be told', async () => {
    const given = giveAway(
      socket,
      gift(() => {
        throw new Error('not now');
      }),
      among(successor(holds)),
      events,
    );
    await expect(given).rejects.toThrow('not now');
    client.write('still here');
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toBe('still here');
  });

  it('goes to the next one when the first refuses, and stays when all do', async () => {
    const second = successor(holds, refuses);
    const state = gift(() => null);
    expect(await giveAway(socket, state, among(successor(refuses), successor(refuses)), events)).toBe(
      'nobody',
    );
    expect(await giveAway(socket, state, among(successor(refuses), second), events)).toBe('taken');
    expect(second.offered()).toBe(1);
  });

  it('cannot be one that has been ended', async () => {
    socket.end();
    expect(
      await giveAway(
        socket,
        gift(() => null),
        among(successor(holds)),
        events,
      ),
    ).toBe('notMovable');
  });
});
