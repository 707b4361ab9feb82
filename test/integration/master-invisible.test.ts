// An application finds at its servers and sockets what it finds there without a master, and nothing else.
import { spawn } from 'node:child_process';
import { onTestFinished, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { app, appPath, runMaster } from '../helpers/run-master.ts';

async function seenBare(): Promise<unknown> {
  const port = await freePort();
  const child = spawn(process.execPath, [appPath('tells-what-it-sees')], {
    env: { ...process.env, PORT: String(port), BARE_HOST: '127.0.0.1' },
    stdio: 'ignore',
  });
  onTestFinished(() => {
    child.kill();
  });
  let body = '';
  await eventually('the program answers', async () => {
    body = await get(port).then(
      (answer) => answer.body,
      () => '',
    );
    return body !== '';
  });
  return JSON.parse(body);
}

test('no listener and no property is there that is not there without a master', async () => {
  const master = runMaster({ command: app('tells-what-it-sees'), env: { BARE_HOST: '127.0.0.1' } });
  const port = await master.serving();
  expect(JSON.parse((await get(port)).body)).toEqual(await seenBare());
});
