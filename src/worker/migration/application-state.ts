/** Checks the state that an application sends along with a connection: JSON of a limited size. */
import { GracefulRunError } from '../../shared/errors.ts';

const maxStateBytes = 64 * 1024;

/** Returns the state as the destination will see it, after JSON. Throws GracefulRunError `workerMisuse` if it cannot be sent. */
export function asJson(state: unknown): unknown {
  const text: unknown = JSON.stringify(state);
  if (typeof text !== 'string') {
    throw new GracefulRunError('workerMisuse', 'cannot migrate: the state cannot be serialised as JSON', {
      hint: 'give it plain objects, arrays, strings, numbers, booleans and null',
    });
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxStateBytes) {
    throw new GracefulRunError('workerMisuse', `cannot migrate: the state has ${bytes} bytes of JSON`, {
      hint: `send at most ${maxStateBytes} bytes with a connection, and keep the rest where both workers can read it`,
    });
  }
  return JSON.parse(text);
}
