import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { findServing, treeOf } from '../../../../src/master/process/find-server.ts';
import { eventually } from '../../../helpers/eventually.ts';

test.skipIf(process.platform !== 'linux')(
  'workers that are started one after the other in one turn are found, and later what they have started',
  async () => {
    const started = Array.from({ length: 20 }, () => {
      const child = spawn('sh', ['-c', 'perl -e "sleep 100" & wait'], { detached: true, stdio: 'ignore' });
      const pid = child.pid ?? 0;
      onTestFinished(() => {
        process.kill(-pid, 'SIGKILL');
      });
      // All of them before the event loop turns.
      expect(treeOf(pid).map((one) => one.pid)).toContain(pid);
      return child;
    });
    await Promise.all(started.map((child) => once(child, 'spawn')));
    for (const { pid = 0 } of started) {
      await eventually('its program runs', () => ![pid, null].includes(findServing(pid)));
      const serving = findServing(pid);
      expect(treeOf(pid).map((one) => one.pid)).toEqual([pid, serving]);
    }
  },
);
