import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { findByOwnPid, findLaunchers, belongsToWorker } from '../../../../src/master/process/process-tree.ts';
import { readProcessStat } from '../../../../src/shared/process-stat.ts';

test.skipIf(process.platform !== 'linux')(
  'kin are the process itself, its descendants, and its group',
  async () => {
    const shell = spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = shell.pid ?? -1;
    onTestFinished(() => void process.kill(-pid, 'SIGKILL'));
    const [output] = (await once(shell.stdout, 'data')) as [Buffer];
    const descendant = Number(output.toString());
    expect(belongsToWorker(pid, pid)).toBe(true);
    expect(belongsToWorker(descendant, pid)).toBe(true);
    expect(belongsToWorker(descendant, process.pid)).toBe(true);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a parent, init and a process that does not exist are no kin',
  () => {
    expect(belongsToWorker(process.ppid, process.pid)).toBe(false);
    expect(belongsToWorker(1, process.pid)).toBe(false);
    expect(belongsToWorker(2 ** 22 + 1, process.pid)).toBe(false);
    for (const pid of [process.ppid, 1, 2 ** 22 + 1]) expect(findByOwnPid(pid, process.pid)).toBe(null);
  },
);

test.skipIf(process.platform !== 'linux')(
  'launchers are the processes between a worker and the one that serves; none when the chain is broken',
  () => {
    const self = readProcessStat('self');
    const parent = readProcessStat(process.ppid);
    if (self === null || parent === null) throw new Error('there is no /proc');
    expect(findLaunchers(self, process.ppid)).toEqual([]);
    expect(findLaunchers(self, parent.parent).map(({ pid }) => pid)).toEqual([process.ppid]);
    expect(findLaunchers(self, 2 ** 22 + 1)).toEqual([]);
  },
);
