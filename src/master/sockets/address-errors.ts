/** Errors about an address that cannot be bound. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';
import { shortageHint } from '../../shared/shortage.ts';

/** What is known of the machine, for hints. */
export interface Machine {
  /** The numeric addresses of its interfaces, link-local ones with their zone. */
  readonly addresses: readonly string[];
  /** The names of its interfaces. */
  readonly interfaces: readonly string[];
  /** The program file of this process. */
  readonly executable: string;
  /** Whether a socket of this kind may be bound to an address that the machine does not have. */
  readonly canFreebind: boolean;
}

/** The error for an address. `where`: the address, as the message names it. `code`: the error of the system. */
export function addressError(
  where: string,
  code: string,
  { host, port }: { readonly host: string | null; readonly port: number },
  machine: Machine,
): GracefulRunError {
  const { addresses, executable, canFreebind } = machine;
  switch (code) {
    case 'EADDRINUSE':
      return new GracefulRunError('addressInUse', `cannot listen on ${where}: the address is in use`);
    case 'EACCES':
      return new GracefulRunError('addressUnusable', `cannot listen on ${where}: permission denied`, {
        hint: `to allow it for every program: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}; for this Node.js: sudo setcap cap_net_bind_service=+ep ${executable}; for this service: AmbientCapabilities=CAP_NET_BIND_SERVICE in its unit of systemd, or a socket unit (docs/deployment.md)`,
      });
    case 'EADDRNOTAVAIL':
      return new GracefulRunError(
        'addressUnusable',
        `cannot listen on ${where}: this machine has no such address`,
        {
          hint: `it has ${addresses.join(', ')}${canFreebind ? '; to listen on an address that it gets later: freebind (--freebind)' : ''}`,
        },
      );
    default: {
      const interfaceError =
        code === 'EINVAL' || code === 'ENODEV' ? wrongInterface(where, host, machine) : null;
      if (interfaceError !== null) return interfaceError;
      const hint = shortageHint(code);
      return new GracefulRunError(
        'addressUnusable',
        `cannot listen on ${where}: ${code}`,
        hint === null ? {} : { hint },
      );
    }
  }
}

/** The error for an address with a wrong interface; null if that is not the cause. */
function wrongInterface(
  where: string,
  host: string | null,
  { interfaces, addresses }: Machine,
): GracefulRunError | null {
  const [plain, zone] = host?.split('%') ?? [];
  if (zone !== undefined && !interfaces.includes(zone))
    return new GracefulRunError(
      'addressUnusable',
      `cannot listen on ${where}: there is no interface ${zone}`,
      {
        hint: `there ${interfaces.length === 1 ? 'is' : 'are'} ${interfaces.join(', ')}`,
      },
    );
  if (zone !== undefined || plain === undefined || !/^fe[89ab][\da-f]:/i.test(plain)) return null;
  const linkLocal = addresses.filter((address) => address.includes('%'));
  return new GracefulRunError(
    'addressUnusable',
    `cannot listen on ${where}: a link-local address needs its interface`,
    {
      hint:
        linkLocal.length === 0
          ? `write it behind the address: ${plain}%eth0`
          : `this machine has ${linkLocal.join(', ')}`,
    },
  );
}
