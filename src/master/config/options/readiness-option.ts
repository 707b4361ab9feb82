/** How the option `ready` is written, and what it means. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import type { Readiness } from '../../launch/worker-kind.ts';

export const wantedReady =
  'auto, listen, message, notify, fd:5, exec:COMMAND, delay:2s, tcp:9000, http:/path or http://127.0.0.1:9000/path';

/** The highest descriptor that a program is offered. */
const maxDescriptor = 255;
const dayMs = 86_400_000;

/** The descriptor of the channel in a worker: it follows the listeners, which begin at 3. */
export function channelAt(listeners: number): number {
  return 3 + listeners;
}

/** Parses the option `ready`; null if it is not valid. */
export function parseReady(written: string, warmup: number): Readiness | null {
  switch (written) {
    case 'auto':
      return { when: 'auto' };
    case 'listen':
      return { when: 'listens' };
    case 'message':
      return { when: 'sendsMessage' };
    case 'notify':
      return { when: 'notifies' };
  }
  const [, kind = '', value = ''] = /^(fd|exec|delay|tcp|http):(.+)$/s.exec(written) ?? [];
  switch (kind) {
    case 'fd':
      return isNumber(value, 3, maxDescriptor) ? { when: 'writesNewline', fd: Number(value) } : null;
    case 'exec':
      return value.trim() === '' || value.includes('\0') ? null : { when: 'commandSucceeds', command: value };
    case 'delay': {
      const delayMs = parseDuration(value);
      return delayMs === null || delayMs > dayMs ? null : { when: 'lives', delayMs };
    }
    case 'tcp':
      return isNumber(value, 1, 65_535) ? { when: 'connects', port: Number(value) } : null;
    case 'http':
      return parseHttp(value, warmup);
    default:
      return null;
  }
}

/** Parses the value after `http:`: a path for a request line, or a URL with a host and a port. */
function parseHttp(value: string, warmup: number): Readiness | null {
  if (/^\/(?!\/)[\x21-\x7e]{0,999}$/.test(value)) return { when: 'answers', path: value, warmup };
  const match =
    /^\/\/(?<host>\[[0-9A-Fa-f:.]+\]|[^\s:/[\]@]+):(?<port>\d{1,5})(?<path>\/[\x21-\x7e]{0,999})?$/.exec(
      value,
    );
  const { host = '', port = '', path = '/' } = match?.groups ?? {};
  if (!isNumber(port, 1, 65_535)) return null;
  return { when: 'answersAt', host: host.replace(/^\[|\]$/g, ''), port: Number(port), path };
}

function isNumber(text: string, least: number, most: number): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most;
}
