/** How an address to listen on is written: `3000`, `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, each with `name=` before it. Pure. */

export interface ListenAddress {
  /** Null: none was given. */
  readonly name: string | null;
  /** A numeric address or a host name; null: every address. */
  readonly host: string | null;
  readonly port: number;
}

export const wantedListenAddress =
  'a port or an address with a port, such as 3000, 127.0.0.1:3000, [::1]:3000 or admin=localhost:3000';

/** Null: it is none. */
export function parseListenAddress(written: string): ListenAddress | null {
  const match =
    /^(?:(?<name>[A-Za-z0-9_.-]{1,64})=)?(?:(?:\[(?<v6>[0-9A-Fa-f:.%\w]+)\]|(?<host>[^\s:[\]=]+)):)?(?<port>\d{1,5})$/.exec(
      written,
    );
  const { name, v6, host, port } = match?.groups ?? {};
  if (port === undefined || Number(port) > 65_535) return null;
  if (v6 !== undefined && !v6.includes(':')) return null;
  return { name: name ?? null, host: v6 ?? host ?? null, port: Number(port) };
}
