// The env file is for the workers. Its flag is not called --env-file, because Node.js (20 to 26) looks for that one in the
// whole command line, also behind the script's name: what the file says in NODE_OPTIONS would be done to the master.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whoAnswers } from '../helpers/plain-client.ts';
import { envFileFlag, runMaster, temporaryFolder } from '../helpers/run-master.ts';

test('the env file is read anew at every reload', async () => {
  const file = join(temporaryFolder(), 'env');
  writeFileSync(file, 'RELEASE=1\n');
  const master = runMaster({ flags: [envFileFlag, file] });
  const port = await master.serving();
  expect((await whoAnswers(port)).release).toBe('1');
  writeFileSync(file, 'RELEASE=2\n');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('2');
  writeFileSync(file, '');
  await master.reload(3);
  await master.waitFor('workerExited', { generation: 2 });
  expect((await whoAnswers(port)).release).toBe(null);
});

test('NODE_OPTIONS in the env file is for the workers, not for the master', async () => {
  const folder = temporaryFolder();
  const witness = join(folder, 'loaded-by');
  const instrument = join(folder, 'instrument.cjs');
  writeFileSync(
    instrument,
    `require('node:fs').appendFileSync(${JSON.stringify(witness)}, process.pid + ' ');`,
  );
  const file = join(folder, 'env');
  writeFileSync(file, `NODE_OPTIONS="--require ${instrument}"\n`);
  const master = runMaster({ flags: [envFileFlag, file] });
  await master.serving();
  expect(existsSync(witness)).toBe(true);
  expect(readFileSync(witness, 'utf8').trim().split(' ').map(Number)).toEqual([await master.workerPid(1)]);
});
