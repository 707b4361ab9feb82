// A worker that dies of an error while it drains is no regular end, whatever the new generation does meanwhile.
import { expect, test } from 'vitest';
import { begin, get } from '../helpers/plain-client.ts';
import { app, runMaster } from '../helpers/run-master.ts';

test('a worker that crashes while it drains is in the log with what was cut, and is the last crash', async () => {
  const script = `
    const { server } = require(${JSON.stringify(app('serves')[1])});
    process.on('SIGUSR1', () => { throw new Error('boom'); });
    server.listen(process.env.PORT);`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  const port = await master.serving();
  const { answer } = await begin(port, '/held');
  answer.catch(() => undefined);
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  const pid = await master.workerPid(1);
  process.kill(pid, 'SIGUSR1');
  const exited = await master.waitFor('workerExited', { generation: 1 });
  expect(exited).toMatchObject({ outcome: { code: 1, signal: null }, cut: 1 });
  expect(exited.failure?.message).toContain('while it drained');
  const { lastCrash } = await master.status();
  expect(lastCrash).toMatchObject({ generation: 1, pid });
  expect(lastCrash?.failure.stderrTail).toContain('Error: boom');
  expect((await get(port)).status).toBe(200);
});
