/** The options of TCP sockets, as they are written. Pure. */
import { parseDuration } from '../../../shared/durations.ts';
import type { KeepAlive, ListenerPlan, TcpOptions } from '../plan.ts';
import { defaults } from './defaults.ts';

/** The TCP options in code. Their values were checked by values.ts. */
export interface WrittenTcpOptions {
  readonly ipv6Only?: boolean | undefined;
  readonly tcpFastOpen?: number | undefined;
  readonly deferAccept?: string | undefined;
  readonly keepalive?: string | undefined;
  readonly freebind?: boolean | undefined;
}

/** Compiles the TCP options; undefined if none is set. */
export function tcpOptions(written: WrittenTcpOptions): TcpOptions | undefined {
  const options: TcpOptions = {
    ipv6Only: written.ipv6Only ?? defaults.ipv6Only,
    freebind: written.freebind ?? defaults.freebind,
    fastOpen: written.tcpFastOpen ?? null,
    deferAcceptSeconds: written.deferAccept === undefined ? null : secondsOf(written.deferAccept),
    keepAlive: written.keepalive === undefined ? null : parseKeepAlive(written.keepalive),
  };
  const isAsked = Object.values(options).some((value) => value !== null && value !== false);
  return isAsked ? Object.freeze(options) : undefined;
}

/** The largest number of seconds that tcp(7) accepts. */
const maxSeconds = 32_767;
const maxProbes = 127;

export const wantedKeepAlive =
  'on, or an idle time with, if wanted, an interval and a number of probes, such as 60s, 60s:10s or 60s:10s:5 (whole seconds)';

/** Parses `on`, `60s`, `60s:10s` or `60s:10s:5`; null if the text is not valid. */
export function parseKeepAlive(written: string): KeepAlive | null {
  if (written === 'on') return { idleSeconds: null, intervalSeconds: null, count: null };
  const [idle = '', interval, probes, ...rest] = written.split(':');
  const idleSeconds = secondsOf(idle);
  const intervalSeconds = interval === undefined ? null : secondsOf(interval);
  const count = probes === undefined ? null : Number(probes);
  if (rest.length > 0 || idleSeconds === null || (interval !== undefined && intervalSeconds === null))
    return null;
  if (count !== null && !(Number.isInteger(count) && count >= 1 && count <= maxProbes)) return null;
  return { idleSeconds, intervalSeconds, count };
}

/** The seconds of a duration; null if it is not one of 1 to 32767 whole seconds. */
export function secondsOf(written: string): number | null {
  const ms = parseDuration(written);
  if (ms === null || ms % 1_000 !== 0) return null;
  const seconds = ms / 1_000;
  return seconds >= 1 && seconds <= maxSeconds ? seconds : null;
}

/** An option for a kind of socket that the program does not have. */
export interface InapplicableTcpOption {
  /** The name of the option in code. */
  readonly option: keyof WrittenTcpOptions | 'socketMode' | 'socketOwner';
  readonly message: string;
  readonly hint: string;
}

/** A kind of listener, in words and as an example of an address. */
interface Kind {
  readonly what: string;
  readonly such: string;
}

interface Need {
  readonly option: InapplicableTcpOption['option'];
  readonly applies: (listener: ListenerPlan) => boolean;
  readonly kind: Kind;
}

const isBoundHere = ({ type }: ListenerPlan): boolean => type === 'tcp';
const isTcp = ({ type }: ListenerPlan): boolean => type === 'tcp' || type === 'fd';
const isUnix = ({ type }: ListenerPlan): boolean => type === 'unix';
const mayBeIPv6 = (listener: ListenerPlan): boolean =>
  listener.type === 'tcp' && (listener.host === null || !/^[\d.]+$/.test(listener.host));

const boundIPv6: Kind = { what: 'an IPv6 address that graceful-run binds', such: '[::]:3000' };
const boundTcp: Kind = { what: 'a TCP listener that graceful-run binds', such: '3000' };
const anyTcp: Kind = { what: 'a TCP listener', such: '3000' };
const boundUnix: Kind = {
  what: 'a UNIX socket that graceful-run binds',
  such: 'unix:/run/app.sock',
};

const needs: readonly Need[] = [
  { option: 'ipv6Only', applies: mayBeIPv6, kind: boundIPv6 },
  { option: 'freebind', applies: isBoundHere, kind: boundTcp },
  { option: 'tcpFastOpen', applies: isTcp, kind: anyTcp },
  { option: 'deferAccept', applies: isTcp, kind: anyTcp },
  { option: 'keepalive', applies: isTcp, kind: anyTcp },
  { option: 'socketMode', applies: isUnix, kind: boundUnix },
  { option: 'socketOwner', applies: isUnix, kind: boundUnix },
];

interface Written extends WrittenTcpOptions {
  readonly socketMode?: string | undefined;
  readonly socketOwner?: string | undefined;
  readonly listeners: readonly ListenerPlan[];
}

export const socketRules: readonly ((options: Written) => readonly InapplicableTcpOption[])[] = needs.map(
  ({ option, applies, kind: { what, such } }) =>
    (options) => {
      const given = options[option];
      if (given === undefined || given === false) return [];
      const { listeners } = options;
      return listeners.length === 0 || listeners.some(applies)
        ? []
        : [
            {
              option,
              message: `needs ${what}, and this program has none`,
              hint: `leave it out, or add one to listen (--listen), such as ${such}`,
            },
          ];
    },
);

/** Whether the listener is for every IPv6 address and for no IPv4 address. */
export function isWideIPv6Only(listener: ListenerPlan): boolean {
  return listener.type === 'tcp' && listener.host === '::' && listener.options?.ipv6Only === true;
}
