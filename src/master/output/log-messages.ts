/** The messages for system daemons that collect logs: one for each line of a worker. Pure. */
import type { LineOrigin } from './format-lines.ts';
import { startOfCharacter } from './utf8.ts';
import { endOfContent, endOfLine } from './newlines.ts';

/** The worker that a message comes from, and the facility of the message. */
export interface MessageOrigin extends LineOrigin {
  /** The facility as syslog(3) numbers it. */
  readonly facility: number;
}

/**
 * The longest line of one message, in bytes; longer ones become several messages. rsyslog cuts lines off at 8 KiB, and the journal has lines of at most 48
 * KiB.
 */
const mostBytes = { syslog: 7 * 1024, journal: 48 * 1024 - 1 };

/** LOG_INFO and LOG_ERR, as syslog(3) numbers them. */
const severity = { stdout: 6, stderr: 3 };

const questionMark = 0x3f;

/** Converts lines to messages. `isContinued`: the first line is the rest of one whose beginning is in another message. */
export function messagesOf(
  protocol: 'syslog' | 'journal',
  bytes: Buffer,
  origin: MessageOrigin,
  time: Date,
  isContinued: boolean,
): readonly Uint8Array[] {
  const head = Buffer.from(protocol === 'syslog' ? syslogHead(origin, time) : journalHead(origin));
  const tail = Buffer.from(protocol === 'syslog' ? '' : '\n');
  return piecesOf(bytes, mostBytes[protocol], isContinued).map((piece) => {
    const text = protocol === 'syslog' && piece.includes(0) ? withoutZeros(piece) : piece;
    return Buffer.concat([head, text, tail]);
  });
}

/**
 * The head of a syslog message, in the form of syslog(3) in the C library, because every daemon reads that (RFC 3164 without the name of the machine). The
 * time is local.
 */
function syslogHead({ facility, stream, program, worker }: MessageOrigin, time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = String(time.getDate()).padStart(2);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const tag = program.replaceAll(/[^!-9;-Z\\^-~]/g, '_');
  return `<${facility * 8 + severity[stream]}>${months[time.getMonth()] ?? ''} ${day} ${clock} ${tag}[${worker}]: `;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The head of a message in the journal's own protocol: a line for each field. None of the values has a newline. */
function journalHead({ facility, stream, program, worker, generation, slot }: MessageOrigin): string {
  const fields = {
    PRIORITY: severity[stream],
    SYSLOG_FACILITY: facility,
    SYSLOG_IDENTIFIER: program,
    SYSLOG_PID: worker,
    GRACEFUL_RUN_PROGRAM: program,
    GRACEFUL_RUN_GENERATION: generation,
    GRACEFUL_RUN_WORKER: slot,
    GRACEFUL_RUN_STREAM: stream,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${value}\n`);
  return `${lines.join('')}MESSAGE=`;
}

/** The lines without their ends. A line that is too long becomes several pieces. */
function piecesOf(bytes: Buffer, most: number, isContinued: boolean): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length;) {
    const next = endOfLine(bytes, from);
    const end = endOfContent(bytes, from, next);
    // An empty first line is only the end of one that was sent before.
    const isNothing = isContinued && from === 0 && end === 0;
    let start = from;
    while (end - start > most) {
      const cut = startOfCharacter(bytes, start + most);
      pieces.push(bytes.subarray(start, cut));
      start = cut;
    }
    if (!isNothing) pieces.push(bytes.subarray(start, end));
    from = next;
  }
  return pieces;
}

/** Replaces zeros. The syslogd of busybox begins another message after a zero, so a client could forge one. */
function withoutZeros(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => (byte === 0 ? questionMark : byte)));
}
