/** What a program says over sd_notify(3): lines of KEY=value. Anything may have sent it, so nothing in it is trusted. Pure. */
import { longestTimerMs } from '../../shared/durations.ts';

export interface Notification {
  readonly isReady: boolean;
  readonly isStopping: boolean;
  /** The text of STATUS for people, in one line. */
  readonly status: string | null;
  readonly errno: number | null;
  readonly mainPid: number | null;
  /** EXTEND_TIMEOUT_USEC: the program needs at least this much more time. */
  readonly extendMs: number | null;
  /** WATCHDOG=1: the program lives. */
  readonly isAlive: boolean;
  /** WATCHDOG=trigger: the program reports that it is hung. */
  readonly isHung: boolean;
  /** WATCHDOG_USEC: how long the program may be silent from now on; 0: without limit. */
  readonly watchdogMs: number | null;
  readonly storesDescriptors: boolean;
}

/** The longest message that is read, as in systemd. */
const maxBytes = 4_096;
const maxStatus = 200;

/** Parses a message of sd_notify(3); null if it is too long, or has nothing that means anything here. */
export function parseNotification(bytes: Uint8Array): Notification | null {
  if (bytes.length > maxBytes) return null;
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n').map((line) => /^([A-Z_]+)=(.*)$/s.exec(line));
  const values = new Map(
    lines.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']])),
  );
  if (!known.some((key) => values.has(key))) return null;
  const is = (key: string): boolean => values.get(key) === '1';
  const extendUs = numberIn(values.get('EXTEND_TIMEOUT_USEC'));
  const watchdogUs = numberIn(values.get('WATCHDOG_USEC'));
  const status = values.get('STATUS')?.trim().slice(0, maxStatus) ?? '';
  return {
    isReady: is('READY'),
    isStopping: is('STOPPING'),
    status: status === '' ? null : status,
    errno: numberIn(values.get('ERRNO')),
    mainPid: numberIn(values.get('MAINPID')),
    extendMs: extendUs === null ? null : Math.ceil(extendUs / 1_000),
    isAlive: is('WATCHDOG'),
    isHung: values.get('WATCHDOG') === 'trigger',
    watchdogMs: watchdogUs === null ? null : boundedMs(watchdogUs),
    storesDescriptors: is('FDSTORE'),
  };
}

/** The time in ms. More than a timer can hold, which is weeks, means no limit. */
function boundedMs(us: number): number {
  const ms = Math.ceil(us / 1_000);
  return ms > longestTimerMs ? 0 : ms;
}

/** The keys that mean something here. RELOADING=1 and BARRIER=1 ask for nothing: READY=1 ends the one, and the descriptor of the other is closed on arrival. */
const known = [
  'READY',
  'RELOADING',
  'STOPPING',
  'STATUS',
  'ERRNO',
  'MAINPID',
  'EXTEND_TIMEOUT_USEC',
  'WATCHDOG',
  'WATCHDOG_USEC',
  'FDSTORE',
  'BARRIER',
] as const;

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
