import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { watchEnd } from '../../../../src/master/process/watch-process-end.ts';

describe.runIf(process.platform === 'linux')('the end of a process that is no child', () => {
  test('is told when it has ended, not before', async () => {
    const watched = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
    const told = await new Promise<string>((resolve) => {
      void watchEnd(Number(watched.pid), () => {
        resolve(watched.stdin.writableEnded ? 'in time' : 'too early');
      }).then((unwatch) => {
        if (unwatch === null) resolve('never');
        watched.stdin.end();
      });
    });
    expect(told).toBe('in time');
  });

  test('is told at once of one that has ended already', async () => {
    const gone = spawn('true');
    await once(gone, 'exit');
    let isTold = false;
    const unwatch = await watchEnd(Number(gone.pid), () => {
      isTold = true;
    });
    expect({ isWatched: unwatch !== null, isTold }).toEqual({ isWatched: true, isTold: true });
  });
});
