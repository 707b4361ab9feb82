import { expect, test } from 'vitest';
import { reloadFailure } from '../../../src/client/failures.ts';
import { failed } from '../../helpers/fake-master.ts';

test('a start that could not begin has no generation in its message', () => {
  expect(reloadFailure('startFailed', 'start shop', { ...failed, generation: 0 }).message).toMatch(
    /^cannot start shop: no worker was started: /,
  );
  expect(reloadFailure('reloadFailed', 'reload shop', { ...failed, generation: 2 }).message).toMatch(
    /^cannot reload shop: generation 2 failed: /,
  );
});
