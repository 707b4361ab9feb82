/**
 * A connection in memory: two ends, and what is written to one is read from the other. A server gets one end through its event 'connection',
 * for which Node.js documents any Duplex. The other properties of a socket that applications use are those of a client on the
 * loopback. TLS is in in-memory-tls-socket.ts.
 */
import { Duplex } from 'node:stream';
import { markInjected } from '../tracking/in-memory-mark.ts';

// Not imported, as in inject.ts: a process that serves has loaded it already.
const { Socket } = process.getBuiltinModule('node:net');

const loopback = '127.0.0.1';
/** The port of the client: the first of the ephemeral ports. */
const clientPort = 49_152;

/** Both ends of a connection in memory. */
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
  /** The argument of the last `setTimeout`; nothing here has a time limit. */
  timeout: number | undefined = undefined;
  #bytesRead = 0;
  #bytesWritten = 0;
  #peer: InMemorySocket | null = null;
  /** Tells the peer that its last write was read. */
  #taken: (() => void) | null = null;

  /** Creates an end. `port` is the one that the server listens on. */
  constructor(port: number) {
    super();
    markInjected(this);
    this.localPort = port;
  }

  /** Joins two ends; `server` is the end that a server gets. */
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
    // On a later tick, as from a network: an error that the application throws while it reads must not come out of write().
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

  /** Ends the socket, and destroys it when everything is written, as a real socket does. */
  destroySoon(): void {
    const destroy = (): void => {
      this.destroy();
    };
    this.end();
    if (this.writableFinished) destroy();
    else this.once('finish', destroy);
  }

  /** In memory, a reset is the same as an end. */
  resetAndDestroy(): this {
    return this.destroy();
  }

  address(): { readonly address: string; readonly family: string; readonly port: number } {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  }

  // These methods have no effect: nothing here has a time limit, a packet or a handle. The code that makes the request limits its time.

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

  /** Ends the peer: it reads everything that was written, and then the end. */
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

/** Creates the two ends of a TCP connection; `port` is the local port of the server's end. */
export function inMemoryPair(port: number): InMemoryPair {
  return InMemorySocket.join(new InMemorySocket(port), new InMemorySocket(port));
}

/**
 * Makes instances of `ours` instances of a class of Node.js, too, for `instanceof`. They inherit from it what `ours` lacks; there, a socket
 * without a handle behaves as a closed one.
 */
export function actAs(ours: { readonly prototype: Duplex }, theirs: { readonly prototype: object }): void {
  Object.setPrototypeOf(ours.prototype, theirs.prototype);
}

actAs(InMemorySocket, Socket);
