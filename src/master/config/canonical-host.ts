/** One form for each numeric address, so that two of them can be compared as text. Pure. */

/** `0:0:0:0:0:0:0:1` is `::1`, `::ffff:7f00:1` is 127.0.0.1, `127.1` is 127.0.0.1. A host name gets lower case; a zone (`%eth0`) stays. */
export function canonicalHost(host: string): string {
  const [plain = host, zone] = host.split('%');
  const end = zone === undefined ? '' : `%${zone}`;
  let written: string;
  try {
    written = new URL(`http://${plain.includes(':') ? `[${plain}]` : plain}/`).hostname.replace(
      /^\[|\]$/g,
      '',
    );
  } catch {
    return host;
  }
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(written) ?? [];
  if (high === undefined || low === undefined) return `${written}${end}`;
  const bytes = [high, low]
    .map((part) => Number.parseInt(part, 16))
    .flatMap((part) => [part >> 8, part & 255]);
  return bytes.join('.');
}
