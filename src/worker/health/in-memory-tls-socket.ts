/** The server's end of a connection in memory, as after a TLS handshake with a client that has no certificate. */
import { actAs, InMemorySocket, type InMemoryPair } from './in-memory-socket.ts';

const { TLSSocket } = process.getBuiltinModule('node:tls');

const suite = 'TLS_AES_256_GCM_SHA384';
const version = 'TLSv1.3';

export class InMemoryTlsSocket extends InMemorySocket {
  readonly encrypted: boolean = true;
  readonly authorized: boolean = false;
  readonly authorizationError: Error | null = null;
  readonly secureConnecting: boolean = false;
  readonly alpnProtocol: string = 'http/1.1';
  /** The server name that the client sent; false, because it sent none. */
  readonly servername: string | false = false;

  getProtocol(): string {
    return version;
  }

  getCipher(): { readonly name: string; readonly standardName: string; readonly version: string } {
    return { name: suite, standardName: suite, version };
  }

  getPeerCertificate(): object {
    return {};
  }

  getCertificate(): object {
    return {};
  }

  getPeerX509Certificate(): undefined {
    return undefined;
  }

  getX509Certificate(): undefined {
    return undefined;
  }

  getSession(): undefined {
    return undefined;
  }

  getTLSTicket(): undefined {
    return undefined;
  }

  getFinished(): undefined {
    return undefined;
  }

  getPeerFinished(): undefined {
    return undefined;
  }

  /** Returns null, as Node.js does on the server's side. */
  getEphemeralKeyInfo(): null {
    return null;
  }

  getSharedSigalgs(): readonly string[] {
    return [];
  }

  isSessionReused(): boolean {
    return false;
  }

  exportKeyingMaterial(length: number): Buffer {
    return Buffer.alloc(length);
  }

  /** Refuses: TLS 1.3 has no renegotiation. */
  renegotiate(): boolean {
    return false;
  }

  setMaxSendFragment(): boolean {
    return true;
  }

  disableRenegotiation(): void {
    // TLS 1.3 has no renegotiation.
  }

  enableTrace(): void {
    // There are no packets to trace.
  }

  setServername(): void {
    // Only a client may set it.
  }

  setSession(): void {
    // Only a client may set it.
  }

  setKeyCert(): void {
    // There was no handshake.
  }
}

// The prototype chain leads to TLSSocket, so the members of InMemorySocket are copied.
const below = Object.getOwnPropertyDescriptors(InMemorySocket.prototype);
for (const [name, descriptor] of Object.entries(below)) {
  if (!Object.hasOwn(InMemoryTlsSocket.prototype, name))
    Object.defineProperty(InMemoryTlsSocket.prototype, name, descriptor);
}
actAs(InMemoryTlsSocket, TLSSocket);

/** Creates the two ends of a TLS connection; `port` is the local port of the server's end. */
export function inMemoryTlsPair(port: number): InMemoryPair {
  return InMemorySocket.join(new InMemorySocket(port), new InMemoryTlsSocket(port));
}
