/**
 * A connection without a network: two ends, and what is written to one is read from the other. A server gets one of them by its
 * event 'connection', for which Node.js documents any Duplex; whatever else applications ask a socket for is answered as
 * for a client on the loopback. It must not know HTTP, nor TLS (in-memory-tls-socket.ts).
 */
import { Duplex } from 'node:stream';
import { markInjected } from '../tracking/in-memory-mark.ts';

// Not by import, as in inject.ts: it is loaded already in a process that serves.
const { Socket } = process.getBuiltinModule('node:net');

const loopback = '127.0.0.1';
/** Of a client: the first of the ports that systems give away. */
const clientPort = 49_152;

/** Both ends. */
export interface InMemoryPair {
  readonly client: InMemorySocket;
  readonly server: InMemorySocket;
}

export class InMemorySocket extends Duplex {
  readonly remoteAddress: string = loopback;
  readonly remoteFamily: string = 'IPv4';
  readonly remotePort: number = clientPort;
  readonly localAddress: string = loopback;
  readonly localFamily: string = 'IPv4';
  readonly localPort: number;
  readonly connecting: boolean = false;
  readonly pending: boolean = false;
  /** What the last `setTimeout` said; nothing here has a time limit. */
  timeout: number | undefined = undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  #peer: InMemorySocket | null = null;
  /** Tells the peer that what it wrote last was taken. */
  #taken: (() => void) | null = null;

  /** `port` is the one that the server listens on. */
  constructor(port: number) {
    super();
    markInjected(this);
    this.localPort = port;
  }

  /** Joins the two; `server` is the end that a server gets. */
  static join<Server extends InMemorySocket>(
    client: InMemorySocket,
    server: Server,
  ): { client: InMemorySocket; server: Server } {
    client.#peer = server;
    server.#peer = client;
    return { client, server };
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  get readyState(): string {
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  override _read(): void {
    this.#take();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#bytesWritten += chunk.length;
    // On a later tick, as from a network: what an application throws while it reads must not come out of our write().
    process.nextTick(() => {
      const peer = this.#peer;
      if (peer === null || peer.destroyed || chunk.length === 0 || peer.#receive(chunk)) done();
      else peer.#taken = done;
    });
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', done);
  }

  override _final(done: () => void): void {
    this.#endPeer();
    process.nextTick(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#take();
    this.#endPeer();
    done(error);
  }

  /** As a socket has it: ends, and is destroyed when everything was written. */
  destroySoon(): void {
    const destroy = (): void => {
      this.destroy();
    };
    this.end();
    if (this.writableFinished) destroy();
    else this.once('finish', destroy);
  }

  /** There is nobody to whom a reset would say more than an end. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  address(): { readonly address: string; readonly family: string; readonly port: number } {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  }

  // Nothing here has a time limit, a packet or a handle: who injects sets the bounds.

  setTimeout(ms: number, callback?: () => void): this {
    this.timeout = ms;
    if (callback !== undefined && ms > 0) this.once('timeout', callback);
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTypeOfService(): this {
    return this;
  }

  getTypeOfService(): number {
    return 0;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #receive(chunk: Buffer): boolean {
    this.#bytesRead += chunk.length;
    return this.push(chunk);
  }

  /** The other end reads to the end what was written, and then that nothing more will come. */
  #endPeer(): void {
    const peer = this.#peer;
    process.nextTick(() => {
      if (peer !== null && !peer.destroyed) peer.push(null);
    });
  }

  #take(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
  }
}

/** Two ends over TCP; `port` is what the server's end says of itself. */
export function inMemoryPair(port: number): InMemoryPair {
  return InMemorySocket.join(new InMemorySocket(port), new InMemorySocket(port));
}

/**
 * Makes the instances of a class those of Node.js's own as well, for whoever asks `instanceof`; what the class does not have itself, they
 * have from there, where a socket without a handle is one that is closed.
 */
export function actAs(ours: { readonly prototype: Duplex }, theirs: { readonly prototype: object }): void {
  Object.setPrototypeOf(ours.prototype, theirs.prototype);
}

actAs(InMemorySocket, Socket);
