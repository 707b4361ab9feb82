/**
 * What servers say, heard without being one of their listeners: frameworks count those, and remove them. `emit` of every server (http,
 * https, http2 and tls inherit it) passes here first. It must not know what is done about an event.
 */
import { Server } from 'node:net';

/** `first` is the event's first argument. Called before the server's listeners. */
export type Hear = (server: Server, event: string | symbol, first: unknown) => void;

type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean;

/** From now on every event of every server is heard. */
export function hearServers(hear: Hear): void {
  const { prototype } = Server;
  // Looked up at every call where there is none of its own: `domain` replaces that of every emitter.
  const own = Object.hasOwn(prototype, 'emit') ? emitOf(prototype) : null;
  const inherited: unknown = Object.getPrototypeOf(prototype);
  const emit: Emit = function emit(event, ...args) {
    hear(this, event, args[0]);
    return (own ?? emitOf(inherited)).call(this, event, ...args);
  };
  Object.defineProperty(prototype, 'emit', {
    value: emit,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}

function emitOf(prototype: unknown): Emit {
  // Proven dispatch: a server is an emitter.
  return Reflect.get(prototype as object, 'emit') as Emit;
}
