/** The name of a program whose plan gives it none: it is called after its first address. Pure. */
import { basename } from 'node:path';
import type { ListenerPlan } from './plan.ts';

const maxLength = 64;

/** Whether a program with this first listener gets its name only from the bound socket. */
export function isNamedWhenBound(listener: ListenerPlan | undefined): boolean {
  return (
    listener?.type === 'fd' || ((listener?.type === 'tcp' || listener?.type === 'udp') && listener.port === 0)
  );
}

/** The name for a listener, in the form that a plan's name may have: `10086` for a port, `app` for unix:/run/app.sock, `fd-3` for fd:3. */
export function nameAfter(
  address:
    | Pick<Extract<ListenerPlan, { type: 'tcp' | 'udp' }>, 'type' | 'port'>
    | Pick<Extract<ListenerPlan, { type: 'unix' }>, 'type' | 'path'>
    | Pick<Extract<ListenerPlan, { type: 'fd' }>, 'type' | 'fd'>
    | undefined,
): string {
  if (address?.type === 'fd') return `fd-${address.fd}`;
  if (address?.type !== 'unix') return String(address?.port ?? 0);
  const stem = basename(address.path.replace(/^@/, '')).replace(/\.(sock|socket)$/, '');
  const letters = stem.replaceAll(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]+/, '');
  return letters.slice(0, maxLength) || 'socket';
}
