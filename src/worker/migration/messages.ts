/**
 * The lines of JSON that source and destination send each other while a connection migrates. The two may run different releases of this
 * package, so everything that is read is checked, and the fields keep their names.
 */
import { parseSocketState, type SocketState } from '../node-internals/socket-state.ts';

/**
 * Incremented when a line changes its meaning. The destination announces its version first; a source of another version offers it
 * nothing.
 */
const version = 1;

/** An offer of the source: what it says about a connection. The connection itself comes with this line. */
export interface Offer {
  /** `http`: for the servers of a listener. `own`: a custom protocol, for a handler that the application has added. */
  readonly kind: 'http' | 'own';
  /** The name of the listener, or of the handler. */
  readonly to: string;
  /** The client's address and port, by which the destination finds the handle that belongs to the offer. */
  readonly peer: string;
  /** HTTP: true if the client has had a response, so that the keep-alive timeout applies to its next request. */
  readonly isKept: boolean;
  /** The socket's `allowHalfOpen`. */
  readonly isHalfOpen: boolean;
  /** HTTP: options and counters of the socket. For a custom protocol they are in the final state. */
  readonly socket: SocketState;
}

/** The second step for a custom protocol, sent when the destination holds the connection and waits. */
export interface FinalState {
  /** The application's state, as JSON. */
  readonly state: unknown;
  /** Bytes that the source has read and not used, in base64. */
  readonly unread: string;
  readonly socket: SocketState;
}

/** The answers of the destination to several offers. */
export interface Answers {
  readonly isOfThisVersion: boolean;
  /** True if the destination drains too, and refuses every offer; the source may offer the connection to others. */
  readonly isDraining: boolean;
  /** The ids of the offers that the destination has taken. */
  readonly taken: readonly number[];
  readonly refused: readonly number[];
}

type Fields = Readonly<Record<string, unknown>>;

/** The first line of the destination. */
export const versionLine: string = JSON.stringify({ greeting: version });

export function offerLine(id: number, offer: Offer): string {
  return JSON.stringify({ id, ...offer });
}

/** Formats the line with the final state of a connection. `state` null: the source keeps the connection. */
export function finalStateLine(id: number, state: FinalState | null): string {
  return JSON.stringify({ id, finalState: state });
}

export function answersLine({ taken, refused, isDraining }: Omit<Answers, 'isOfThisVersion'>): string {
  return JSON.stringify({ taken, refused, leaves: isDraining });
}

export function readAnswers(line: string): Answers | null {
  const fields = readJson(line);
  return fields === null
    ? null
    : {
        isOfThisVersion: fields['greeting'] === version,
        isDraining: fields['leaves'] === true,
        taken: numbersIn(fields['taken']),
        refused: numbersIn(fields['refused']),
      };
}

/** Reads a line of the source: an offer or a final state. One of the two functions below reads its fields. */
export function readSourceLine(line: string): { readonly id: number; readonly fields: Fields } | null {
  const fields = readJson(line);
  return fields !== null && typeof fields['id'] === 'number' ? { id: fields['id'], fields } : null;
}

export function readOffer(fields: Fields): Offer | null {
  const { kind, to, peer, isKept, isHalfOpen } = fields;
  if (kind !== 'http' && kind !== 'own') return null;
  if (typeof to !== 'string' || typeof peer !== 'string') return null;
  const socket = parseSocketState(fields['socket']);
  return { kind, to, peer, isKept: isKept === true, isHalfOpen: isHalfOpen === true, socket };
}

export function readFinalState({ finalState }: Fields): FinalState | null {
  if (
    typeof finalState !== 'object' ||
    finalState === null ||
    !('state' in finalState) ||
    !('unread' in finalState)
  )
    return null;
  const { state, unread } = finalState;
  const socket = parseSocketState('socket' in finalState ? finalState.socket : null);
  return typeof unread === 'string' ? { state, unread, socket } : null;
}

function numbersIn(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'number') : [];
}

function readJson(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : null;
  } catch {
    return null;
  }
}
