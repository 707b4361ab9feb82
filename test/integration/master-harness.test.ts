// The harness that looks for leaks has to find one.
import { expect, test } from 'vitest';
import { app, RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

test('a process that outlives its master fails the test that started it, and is ended', async () => {
  const master = new RunningMaster({
    command: app('leaves-children'),
    env: { ESCAPES: '1' },
    runtime: temporaryFolder(),
  });
  await master.serving();
  await expect(master.finish(300)).rejects.toThrow('workers gone');
  await master.workersGone();
});
