import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { mayRun } from '../../../helpers/required-programs.ts';

/** Runs a command as an unprivileged user to whom /proc shows only what that user may trace. Root alone can do this. */
function runWithHidingProc(...command: readonly string[]): { status: number | null; stdout: string } {
  const script =
    'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"';
  return spawnSync('unshare', ['--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', ...command], {
    encoding: 'utf8',
  });
}

const program = new URL('../../../fixtures/hidden/looks-at-hidden.ts', import.meta.url).pathname;

test.runIf(mayRun(runWithHidingProc('cat', program).status === 0))(
  'a process that /proc hides runs, is kin, and is the living master of its workers, until it has ended',
  () => {
    const { stdout } = runWithHidingProc(process.execPath, '--import', 'tsx', program);
    const unseen = { isSeen: false };
    expect(JSON.parse(stdout)).toEqual({
      during: {
        ...unseen,
        belongsToWorker: true,
        isFound: true,
        isRunning: true,
        isItsWorkerOrphaned: false,
      },
      afterwards: {
        ...unseen,
        belongsToWorker: false,
        isFound: false,
        isRunning: false,
        isItsWorkerOrphaned: true,
      },
    });
  },
);
