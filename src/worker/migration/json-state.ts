/** What may travel along with a connection: JSON of a bounded size. */
import { GracefulRunError } from '../../shared/errors.ts';

const maxStateBytes = 64 * 1024;

/** The state as it will be over there: what JSON makes of it. Throws GracefulRunError `workerMisuse` when it cannot travel. */
export function asJson(state: unknown): unknown {
  const text: unknown = JSON.stringify(state);
  if (typeof text !== 'string') {
    throw new GracefulRunError('workerMisuse', 'cannot migrate: the state is nothing that JSON can write', {
      hint: 'give it plain objects, arrays, strings, numbers, booleans and null',
    });
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxStateBytes) {
    throw new GracefulRunError('workerMisuse', `cannot migrate: the state has ${bytes} bytes of JSON`, {
      hint: `at most ${maxStateBytes} travel with a connection: keep the rest where both workers can read it`,
    });
  }
  return JSON.parse(text);
}
