/** Formats addresses for messages, URLs and environment variables. Pure. */

/** A URL that terminals turn into a link: `http://127.0.0.1:80`; `localhost` for a listener on every address. */
export function formatUrl(host: string, port: number): string {
  const isEvery = host === '::' || host === '0.0.0.0';
  return isEvery ? `http://localhost:${port} (every address)` : `http://${formatAddress(host, port)}`;
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
