// Signals through a pidfd reach the process that was opened, or its group, and never another one that got its number.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { closeSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import {
  openProcess,
  signalGroupThrough,
  signalThrough,
} from '../../../../src/master/system-calls/pidfd-calls.ts';
import { isRoot, mayRun } from '../../../helpers/required-programs.ts';

const terminate = constants.signals.SIGTERM;

async function open(pid: number | undefined): Promise<number> {
  const descriptor = await openProcess(pid ?? -1);
  if (descriptor === null) throw new Error('no pidfd');
  onTestFinished(() => {
    closeSync(descriptor);
  });
  return descriptor;
}

test.runIf(process.platform === 'linux')(
  'a signal to the group reaches the leader and the others in it',
  async () => {
    const script = '(trap "echo got it; exit" TERM; echo runs; while :; do sleep 1; done) & exec sleep 1000';
    const leader = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    leader.stdout.setEncoding('utf8');
    await once(leader.stdout, 'data');
    const descriptor = await open(leader.pid);
    const other = once(leader.stdout, 'data');
    const ended = once(leader, 'exit');
    expect(signalGroupThrough(descriptor, terminate)).toBe(true);
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(await other).toEqual(['got it\n']);
    expect(signalThrough(descriptor, terminate)).toBe(false);
  },
);

test.runIf(process.platform === 'linux')(
  'a process that leads no group has none that could be signalled',
  async () => {
    const member = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const descriptor = await open(member.pid);
    expect(signalGroupThrough(descriptor, terminate)).toBe(false);
    const ended = once(member, 'exit');
    expect(signalThrough(descriptor, terminate)).toBe(true);
    expect(await ended).toEqual([null, 'SIGTERM']);
  },
);

test.runIf(process.platform === 'linux' && mayRun(isRoot))(
  'a process that got the number of one that was opened is not reached, nor is its group',
  () => {
    const program = new URL('../../../fixtures/hidden/reuses-a-pid.ts', import.meta.url).pathname;
    const { stdout, stderr } = spawnSync(
      'unshare',
      ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath, '--import', 'tsx', program],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      isLed: true,
      group: true,
      reached: [false, false],
      isAlive: true,
      endedBy: 'SIGUSR1',
    });
  },
);
