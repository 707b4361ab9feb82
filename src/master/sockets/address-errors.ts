/** What is said about an address that cannot be bound. Pure. */
import { GracefulRunError } from '../../shared/errors.ts';
import { shortageHint } from '../../shared/shortage.ts';

/** `where`: the address, as the message names it. `code`: that of the system. */
export function addressError(where: string, code: string): GracefulRunError {
  switch (code) {
    case 'EADDRINUSE':
      return new GracefulRunError('addressInUse', `cannot listen on ${where}: the address is in use`);
    case 'EACCES':
      return new GracefulRunError('addressUnusable', `cannot listen on ${where}: permission denied`, {
        hint: 'ports below 1024 need the capability CAP_NET_BIND_SERVICE or a lower net.ipv4.ip_unprivileged_port_start',
      });
    case 'EADDRNOTAVAIL':
      return new GracefulRunError(
        'addressUnusable',
        `cannot listen on ${where}: this machine has no such address`,
        {
          hint: 'see the addresses of this machine with: ip address',
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
