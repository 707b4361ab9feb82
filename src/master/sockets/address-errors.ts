/** Messages about an address that cannot be bound. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';
import { shortageHint } from '../../shared/shortage.ts';

/** What the machine allows, for hints. */
export interface Machine {
  /** The numeric addresses of its interfaces. */
  readonly addresses: readonly string[];
  /** The program file of this process. */
  readonly executable: string;
  /** A socket of this kind may be bound to an address that the machine does not have. */
  readonly canFreebind: boolean;
}

/** `where`: the address, as the message names it. `code`: that of the system. */
export function addressError(
  where: string,
  code: string,
  port: number,
  { addresses, executable, canFreebind }: Machine,
): GracefulRunError {
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
      const hint = shortageHint(code);
      return new GracefulRunError(
        'addressUnusable',
        `cannot listen on ${where}: ${code}`,
        hint === null ? {} : { hint },
      );
    }
  }
}
