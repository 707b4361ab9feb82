/** The addresses of this machine, for messages about an address that cannot be bound. */
import { networkInterfaces } from 'node:os';
import type { Machine } from './address-errors.ts';

export function thisMachine(canFreebind: boolean): Machine {
  const interfaces = networkInterfaces();
  return {
    addresses: Object.entries(interfaces).flatMap(([name, addresses = []]) =>
      addresses.map((one) =>
        one.family === 'IPv6' && one.scopeid !== 0 ? `${one.address}%${name}` : one.address,
      ),
    ),
    interfaces: Object.keys(interfaces),
    executable: process.execPath,
    canFreebind,
  };
}
