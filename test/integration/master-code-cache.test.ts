// Workers boot with V8's code of their preload, which an earlier worker has left beside the control socket.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';

function keptBy({ controlSocket }: RunningMaster): readonly string[] {
  const folder = dirname(controlSocket);
  return readdirSync(folder)
    .filter((name) => name.startsWith('boot-'))
    .map((name) => join(folder, name));
}

test('the first worker leaves the code for the next one, readable for its user alone', async () => {
  const master = runMaster();
  const port = await master.serving();
  await eventually('kept', () => keptBy(master).some((path) => !/\.\d+$/.test(path)));
  const [path = ''] = keptBy(master);
  const before = statSync(path);
  expect(before.mode & 0o777).toBe(0o600);
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
  // It was taken: a worker that cannot use it writes another one.
  expect(statSync(path).ino).toBe(before.ino);
});

test('code that is no code is passed over, and made again', async () => {
  const master = runMaster();
  const port = await master.serving();
  await eventually('kept', () => keptBy(master).some((path) => !/\.\d+$/.test(path)));
  const [path = ''] = keptBy(master);
  writeFileSync(path, 'spoilt');
  await master.reload(2);
  expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
  await eventually('made again', () => readFileSync(path).length > 1_000);
});

test('without a control socket workers compile', async () => {
  const master = runMaster({ flags: ['--no-control'] });
  const port = await master.serving();
  await master.reload(2);
  expect(await whoAnswers(port)).toMatchObject({ generation: 2 });
});
