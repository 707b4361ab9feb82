/** The TCP address at which a master serves its metrics in addition to its control socket: how it is written, and what it becomes in the plan. Pure. */
import { GracefulRunError } from '../../../shared/errors.ts';
import { parseListenAddress } from './listen-address.ts';

/** The address of the metrics in code. A config file has a key for each field: `metrics`, `metrics_token`, `metrics_cert`, `metrics_key`. */
export interface MetricsOptions {
  /** The TCP address: `127.0.0.1:9100`, `[::1]:9100`. */
  readonly address: string;
  /** The token that requests must carry: `Authorization: Bearer TOKEN`. Default: none is needed. */
  readonly token?: string | undefined;
  /** The certificate and its chain, a file in PEM format. With `key`: the address speaks HTTPS. The files are read again when they change. */
  readonly cert?: string | undefined;
  /** The private key of the certificate. */
  readonly key?: string | undefined;
}

export interface MetricsPlan {
  readonly host: string;
  /** The port; 0: any free one. */
  readonly port: number;
  /** The token that requests must carry, or null if they need none. */
  readonly token: string | null;
  /** The absolute paths of certificate and key, or null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

export const wantedMetricsAddress = 'an address with a port, such as 127.0.0.1:9100 or [::1]:9100';

/** Parses the address of the metrics; null if it is not a TCP address with a host. */
export function parseMetricsAddress(
  written: string,
): { readonly host: string; readonly port: number } | null {
  const address = parseListenAddress(written);
  if (address?.type !== 'tcp' || address.host === null || address.name !== null) return null;
  return { host: address.host, port: address.port };
}

/** The field that needs another one or has no meaning; null if all is well. `spell`: what a field is called in messages. Default: its key in a config file. */
export function metricsProblem(
  given: { readonly [Name in keyof MetricsOptions]?: unknown },
  spell = (field: keyof MetricsOptions): string => `metrics_${field}`,
): { readonly key: keyof MetricsOptions; readonly message: string } | null {
  const rest = (['token', 'cert', 'key'] as const).find((name) => given[name] !== undefined);
  if (given.address === undefined && rest !== undefined)
    return { key: rest, message: 'has no effect without metrics, the address' };
  if (given.cert !== undefined && given.key === undefined)
    return { key: 'cert', message: `needs ${spell('key')}` };
  if (given.key !== undefined && given.cert === undefined)
    return { key: 'key', message: `needs ${spell('cert')}` };
  return null;
}

/** Compiles the options of the metrics. `resolve` makes a path absolute. Errors: `badOption`. */
export function metricsPlan(
  { address, token, cert, key }: MetricsOptions,
  resolve: (path: string) => string,
): MetricsPlan {
  const spell = (field: keyof MetricsOptions): string => `metrics.${field}`;
  const problem = metricsProblem({ address, token, cert, key }, spell);
  if (problem !== null)
    throw new GracefulRunError('badOption', `cannot start: ${spell(problem.key)} ${problem.message}`);
  const { host, port } = parseMetricsAddress(address) ?? { host: '127.0.0.1', port: 0 };
  const tls = cert === undefined || key === undefined ? null : { cert: resolve(cert), key: resolve(key) };
  return Object.freeze({ host, port, token: token ?? null, tls });
}
