// A master may close its control socket between the moment in which it is found and the one in which it is told to stop.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { shutDown, stop } from '../../../../src/ctl/act/stop.ts';
import type { AnsweringMaster } from '../../../../src/ctl/masters/listed-masters.ts';
import { allPrograms } from '../../../../src/ctl/masters/select-programs.ts';
import { isRunning } from '../../../../src/shared/is-running.ts';
import { answeringMaster } from '../../../helpers/example-programs.ts';
import { socketFolder } from '../../../helpers/fake-master.ts';

/** A master whose socket is no longer there, and whose process ends when its stdin does. */
async function endingMaster(
  programs: readonly string[],
): Promise<{ readonly master: AnsweringMaster; readonly child: ChildProcess }> {
  const folder = socketFolder();
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  onTestFinished(() => {
    child.kill('SIGKILL');
    folder.remove();
  });
  const found = answeringMaster('web', programs);
  const pid = child.pid ?? -1;
  const path = join(folder.path, 'web.sock');
  return { master: { ...found, path, master: { ...found.master, pid } }, child };
}

test('a master that has closed its socket counts as stopped, with --wait as soon as its process has ended', async () => {
  const { master, child } = await endingMaster(['web']);
  const pid = child.pid ?? -1;
  expect(await shutDown(master, false)).toMatchObject({ state: 'accepted', result: { pid } });
  const stopping = shutDown(master, true);
  child.stdin?.end();
  expect(await stopping).toMatchObject({ state: 'stopped', result: { pid } });
  expect(isRunning(pid)).toBe(false);
});

test('so does the only program of a master without a config file, but not one of several', async () => {
  const only = await endingMaster(['web']);
  const [web] = allPrograms([only.master]);
  if (web === undefined) throw new Error('no program');
  expect(await stop(web, false)).toMatchObject({ state: 'accepted' });
  const several = await endingMaster(['web', 'api']);
  const [first] = allPrograms([several.master]);
  if (first === undefined) throw new Error('no program');
  await expect(stop(first, false)).rejects.toMatchObject({ code: 'masterNotFound' });
});
