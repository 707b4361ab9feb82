import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { findMembers, killLeftovers } from '../../../../src/master/process/find-members.ts';
import { killTree } from '../../../../src/master/process/process-tree.ts';
import { env } from '../../../../src/shared/protocol.ts';

test.skipIf(process.platform !== 'linux')(
  'what was killed with its worker is not left behind, though /proc may still show it for a while',
  async () => {
    const tree = `shop-${process.pid}`;
    // Many: the kernel has not ended all of them when the last one is killed.
    const children = Array.from({ length: 60 }, () =>
      spawn('sleep', ['100'], { env: { ...process.env, [env.tree]: `${tree}.1` } }),
    );
    onTestFinished(() => {
      for (const child of children) child.kill('SIGKILL');
    });
    await Promise.all(children.map((child) => once(child, 'spawn')));
    const isOfTree = (value: string): boolean => value === `${tree}.1`;
    const pids = findMembers(isOfTree).map(({ pid }) => pid);
    expect(pids).toHaveLength(60);
    killTree({ pids, sessions: [] });
    // In the same turn of the event loop: what was read is still what findMembers has.
    expect(killLeftovers(tree)).toEqual([]);
  },
);
