/** The HTTP/2 sessions of this worker. Each ends with GOAWAY: the client opens no new streams, and those that are open finish. */
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

export interface Http2Sessions {
  readonly add: (session: ServerHttp2Session) => void;
  /** Call it for every new stream. Once sessions are being ended, each ends after the first stream that it opens. */
  streamOpened(stream: ServerHttp2Stream): void;
  /** Ends all sessions. A session that is accepted later, from the accept queue, still serves one request, as over HTTP/1. */
  endAll(): void;
}

/** The number of sessions below which none of them is checked for its end. */
const minimumLimit = 64;

export function createHttp2Sessions(): Http2Sessions {
  let sessions: ServerHttp2Session[] = [];
  let limit = minimumLimit;
  let isEnding = false;
  return {
    add(session) {
      sessions.push(session);
      if (sessions.length < limit) return;
      sessions = sessions.filter(({ destroyed }) => !destroyed);
      limit = Math.max(minimumLimit, 2 * sessions.length);
    },
    streamOpened({ session }) {
      if (isEnding && session !== undefined && !session.closed) session.close();
    },
    endAll() {
      isEnding = true;
      for (const session of sessions) session.close();
    },
  };
}
