import { expect, it } from 'vitest';
import {
  holdReading,
  type ConnectionHandle,
} from '../../../../src/worker/node-internals/connection-handle.ts';

it('a connection that two hold is read on when the second lets go of it', () => {
  let reads = 0;
  const calls = {
    readStart: () => {
      reads += 1;
      return 0;
    },
    readStop: () => 0,
  };
  const handle = Object.assign(Object.create(calls), { reading: true }) as ConnectionHandle;
  const [first, second] = [holdReading(handle), holdReading(handle)];
  first();
  handle.readStart();
  expect(reads).toBe(0);
  second();
  expect(reads).toBe(1);
  handle.readStart();
  expect(reads).toBe(2);
});
