// Node.js's own switches: a program that runs with them alone runs with them behind graceful-run, and its connections move.
import { expect, test } from 'vitest';
import { runMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';
import { fixture, fixtures } from './fixture.ts';

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

const switches: readonly (readonly string[])[] = [
  ['--pending-deprecation', '--throw-deprecation'],
  ['--frozen-intrinsics'],
  ['--disable-proto=throw'],
  ['--disallow-code-generation-from-strings'],
  [permission, `--allow-fs-read=${fixtures}*`],
];

test.each(switches)('a program with %s serves, and its idle connections move', async (...words) => {
  const master = runMaster({ command: [process.execPath, ...words, fixture('http.cjs')] });
  const client = await Wire.connect(await master.serving());
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await client.until('generation 1');
  await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ migrated: 1, cut: 0 });
  client.received = '';
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await client.until('generation 2');
  expect(master.all('workerFailed')).toEqual([]);
  client.socket.destroy();
});
