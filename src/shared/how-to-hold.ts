/** Advice to let graceful-run hold a further address of a program, because two generations cannot both bind it. Pure. */

/** Says where the address is to be named. On the command line, --port is taken once, and not beside --listen. */
export function howToHold(address: string): string {
  return `name every address of the program, including this one (${asListen(address)}), in listen (--listen), instead of setting port (--port)`;
}

/** The address as `listen` takes it. Node.js writes IPv6 addresses without brackets, as in `::1:9000`. */
function asListen(address: string): string {
  if (/^[/@]/.test(address)) return `unix:${address}`;
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (port === undefined || address.startsWith('udp:')) return address;
  if (['', '*', '::'].includes(host)) return port;
  return host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : address;
}
