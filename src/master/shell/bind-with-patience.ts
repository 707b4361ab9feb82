/**
 * Binding as a new master does it: the workers of one that was killed let the port go within seconds,
 * so an address in use is tried again for a while before it is an error that names the holder.
 */
import { GracefulRunError } from '../../shared/errors.ts';
import { formatDuration } from '../../shared/durations.ts';
import { findAddressHolder } from './address-holder.ts';
import { bindListener, type BoundListener, type ListenerOptions } from './listener.ts';
import type { Platform } from './platform.ts';

const pauseMs = 100;

/** Binds; on `addressInUse` tries again for `patienceMs`, or while it `isWanted`; `onBusy` is called once. Errors as bindListener, with the holder's pid where it can be found. */
export async function bindWithPatience(
  options: ListenerOptions,
  patienceMs: number,
  isWanted: () => boolean,
  onBusy: () => void,
  { clock, arm }: Pick<Platform, 'clock' | 'arm'>,
): Promise<BoundListener> {
  const giveUpAt = clock.monotonicMs() + patienceMs;
  let isTold = false;
  for (;;) {
    try {
      return await bindListener(options);
    } catch (error) {
      if (!(error instanceof GracefulRunError) || error.code !== 'addressInUse') throw error;
      if (!isWanted() || clock.monotonicMs() >= giveUpAt) throw nameHolder(error, options.port, patienceMs);
      if (!isTold) onBusy();
      isTold = true;
      await new Promise<void>((resolve) => {
        arm(pauseMs, resolve);
      });
    }
  }
}

function nameHolder(error: GracefulRunError, port: number, patienceMs: number): GracefulRunError {
  const holder = findAddressHolder(port);
  const who =
    holder === null
      ? 'by a process that cannot be seen from here'
      : `by pid ${holder.pid} (${holder.command})`;
  return new GracefulRunError(
    'addressInUse',
    `${error.message} ${who}, for ${formatDuration(patienceMs)} now`,
    {
      hint:
        holder === null
          ? `look for it as root with: ss -ltnp 'sport = :${port}'`
          : `stop it (kill ${holder.pid}), or choose another --port`,
      cause: error,
    },
  );
}
