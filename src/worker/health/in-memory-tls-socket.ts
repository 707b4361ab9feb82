/** The server's end of a connection in memory, as it would come of a TLS handshake with a client that has no certificate. */
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
  /** The client has asked for no name. */
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

  /** Null on the side of a server. */
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

  /** TLS 1.3 has none. */
  renegotiate(): boolean {
    return false;
  }

  setMaxSendFragment(): boolean {
    return true;
  }

  disableRenegotiation(): void {
    // There is none.
  }

  enableTrace(): void {
    // There are no packets.
  }

  setServername(): void {
    // Only a client may.
  }

  setSession(): void {
    // Only a client may.
  }

  setKeyCert(): void {
    // There was no handshake.
  }
}

// Between ours and TLSSocket's there is no room for the class below: what that has is put beside it.
const below = Object.getOwnPropertyDescriptors(InMemorySocket.prototype);
for (const [name, descriptor] of Object.entries(below)) {
  if (!Object.hasOwn(InMemoryTlsSocket.prototype, name))
    Object.defineProperty(InMemoryTlsSocket.prototype, name, descriptor);
}
actAs(InMemoryTlsSocket, TLSSocket);

/** Two ends over TLS; `port` is what the server's end says of itself. */
export function inMemoryTlsPair(port: number): InMemoryPair {
  return InMemorySocket.join(new InMemorySocket(port), new InMemoryTlsSocket(port));
}
