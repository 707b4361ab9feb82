// The harness that looks for leaks has to find one.
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { app, RunningMaster, temporaryFolder } from '../helpers/run-master.ts';

test('a process that outlives its master fails the test that started it, and is ended', async () => {
  const master = new RunningMaster({ command: app('serves'), runtime: temporaryFolder(), name: 'leaky' });
  await master.serving();
  // A stop ends everything that the master or its workers have started.
  spawn('sleep', ['1000'], { env: { ...process.env, ...master.marked }, stdio: 'ignore' });
  await expect(master.finish(300)).rejects.toThrow('workers gone');
  await master.workersGone();
});
