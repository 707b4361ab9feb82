/**
 * A connection without a network: two ends, and what is written to one is read from the other. A server gets one of them by its
 * event 'connection', for which Node.js documents any Duplex; what applications ask a socket for besides is answered
 * as for a client on the loopback. It must not know HTTP.
 */
import { Duplex } from 'node:stream';
import { markInjected } from '../injected.ts';

const loopback = '127.0.0.1';

export class InMemorySocket extends Duplex {
  readonly remoteAddress: string = loopback;
  readonly remoteFamily: string = 'IPv4';
  readonly remotePort: number = 0;
  readonly localAddress: string = loopback;
  readonly localFamily: string = 'IPv4';
  readonly localPort: number;
  /** As TLS says it: for a server that would have done the handshake itself. */
  readonly encrypted: boolean;
  readonly authorized: boolean = false;
  readonly alpnProtocol: string = 'http/1.1';
  #peer: InMemorySocket | null = null;
  /** Tells the peer that what it wrote last was taken. */
  #taken: (() => void) | null = null;

  private constructor(port: number, isSecure: boolean) {
    super();
    markInjected(this);
    this.localPort = port;
    this.encrypted = isSecure;
  }

  /** Both ends. `port` and `isSecure` are what the server's end says of itself. */
  static pair(
    port: number,
    isSecure: boolean,
  ): { readonly client: InMemorySocket; readonly server: InMemorySocket } {
    const client = new InMemorySocket(port, isSecure);
    const server = new InMemorySocket(port, isSecure);
    client.#peer = server;
    server.#peer = client;
    return { client, server };
  }

  override _read(): void {
    this.#take();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // On a later tick, as from a network: what an application throws while it reads must not come out of our write().
    process.nextTick(() => {
      const peer = this.#peer;
      if (peer === null || peer.destroyed || chunk.length === 0 || peer.push(chunk)) done();
      else peer.#taken = done;
    });
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

  address(): { readonly address: string; readonly family: string; readonly port: number } {
    return { address: this.localAddress, family: this.localFamily, port: this.localPort };
  }

  /** A client without a certificate. */
  getPeerCertificate(): object {
    return {};
  }

  // Nothing here has a time limit, a packet or a handle: who injects sets the bounds.

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
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
