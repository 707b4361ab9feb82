/** The addresses of this machine, for messages about an address that cannot be bound. */
import { networkInterfaces } from 'node:os';
import type { Machine } from './address-errors.ts';

export function thisMachine(canFreebind: boolean): Machine {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return { addresses: found.map(({ address }) => address), executable: process.execPath, canFreebind };
}
