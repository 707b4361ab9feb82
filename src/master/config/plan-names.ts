/** What a program is called that its plan gives no name: after its first address. Pure. */
import { basename } from 'node:path';
import type { ListenerPlan } from './plan.ts';

const maxLength = 64;

/** Whether only the bound socket tells what `nameAfter` it is. */
export function isNamedWhenBound(listener: ListenerPlan | undefined): boolean {
  return (
    listener?.type === 'fd' || ((listener?.type === 'tcp' || listener?.type === 'udp') && listener.port === 0)
  );
}

/** `10086` for a port, `app` for unix:/run/app.sock, `fd-3` for fd:3. A name as the plan may have one. */
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
