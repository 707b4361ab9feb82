/** Reads the master's messages, checked by hand: a validation library would cost the boot of every worker more than everything else. Pure. */
import { isRecord, type BoundAddress, type DrainReason, type MasterMessage } from '../../shared/protocol.ts';

const reasons: ReadonlySet<unknown> = new Set<DrainReason>([
  'reload',
  'rollback',
  'stop',
  'scaleDown',
  'replacement',
  'masterGone',
  'signal',
]);

/** The message in `value`; null if it is not a message of the master. */
export function readMessage(value: unknown): MasterMessage | null {
  if (!isRecord(value)) return null;
  const { type, name } = value;
  switch (type) {
    case 'admit':
    case 'confirmPause':
    case 'resume':
    case 'lifeline':
    case 'source':
    case 'report':
    case 'checkHealth':
    case 'ping':
    case 'hangLocator':
      return { type };
    case 'drain': {
      const { reason, timeoutMs, migrates, emptiesQueues } = value;
      return isReason(reason) && typeof timeoutMs === 'number' && timeoutMs >= 0
        ? { type, reason, timeoutMs, migrates: migrates === true, emptiesQueues: emptiesQueues === true }
        : null;
    }
    case 'listener':
      return typeof name === 'string' ? { type, name } : null;
    case 'pause': {
      const { forMs } = value;
      return typeof name === 'string'
        ? { type, name, forMs: typeof forMs === 'number' ? forMs : null }
        : null;
    }
    case 'listenerSent': {
      const { request } = value;
      return typeof name === 'string' && typeof request === 'number' ? { type, name, request } : null;
    }
    case 'destination': {
      const { more } = value;
      return typeof more === 'number' ? { type, more } : null;
    }
    case 'address':
    case 'addressRefused': {
      const { host, isIPv6Only, isShared, bound } = value;
      if (typeof name !== 'string' || typeof host !== 'string' || typeof isIPv6Only !== 'boolean')
        return null;
      if (type === 'addressRefused') return { type, name, host, isIPv6Only, isShared: isShared === true };
      return isBound(bound) ? { type, name, host, isIPv6Only, bound } : null;
    }
    default:
      return null;
  }
}

function isReason(value: unknown): value is DrainReason {
  return reasons.has(value);
}

function isBound(value: unknown): value is BoundAddress {
  if (!isRecord(value)) return false;
  const { name, host, port, backlog } = value;
  return (
    typeof name === 'string' &&
    typeof host === 'string' &&
    typeof port === 'number' &&
    typeof backlog === 'number'
  );
}
