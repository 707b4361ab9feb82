// A worker may do over its channel what it likes: the master survives it, and the worker gets what it would get under fork().
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { app, kill, runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { canRun } from '../helpers/required-programs.ts';

const serves = JSON.stringify(app('serves')[1]);

test('a worker that asks for the listener without end, and reads nothing, does not take the master along', async () => {
  // It says that it has got what it has not read, or Node.js would send one alone.
  const script = `
    require(${serves}).server.listen(process.env.PORT, () => setTimeout(() => {
      const message = { type: 'listenerWanted', pid: process.pid, name: process.env.NAME_OF_LISTENER, request: 1 };
      for (let n = 0; n < 3_000; n++) {
        process.send({ gracefulRun: 1, message });
        process.send({ cmd: 'NODE_HANDLE_ACK' });
      }
      console.error('asked');
      for (;;);
    }, 100));`;
  const master = runMaster({
    command: [process.execPath, '-e', script],
    flags: ['--drain-timeout', '300ms'],
    env: { NAME_OF_LISTENER: 'default' },
  });
  await master.serving();
  await master.waitForLine('asked');
  await master.status();
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(master.all('workerKilled')).toHaveLength(1);
});

test('a worker that sends its parent a handle can send messages after it', async () => {
  const script = `
    const net = require('node:net');
    require(${serves}).server.listen(process.env.PORT, () => {
      const { port } = net.createServer().listen(0).unref().address();
      const socket = net.connect(port, () => {
        process.send('with a handle', socket);
        process.send('after it', () => console.error('went out'));
      });
    });`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  await master.serving();
  await master.waitForLine('went out');
  expect(master.all('messageRejected')).toEqual([]);
});

test.runIf(canRun(['setsid']))(
  'what a helper in a session of its own writes to stderr after its worker is passed on',
  async () => {
    const folder = temporaryFolder();
    const [flag, pidFile] = [join(folder, 'flag'), join(folder, 'pid')];
    const helper = `echo $$ > ${pidFile}; while [ ! -e ${flag} ]; do sleep 0.05; done; echo heard $((40 + 2)) >&2; echo again $((40 + 3)) >&2`;
    // A worker that is started again has none. Its parent ends at once: nothing but stderr ties it to the worker.
    const start = `[ -e ${pidFile} ] || (setsid sh -c '${helper}' &); exec ${process.execPath} ${app('serves')[1] ?? ''}`;
    const master = runMaster({ command: ['sh', '-c', start] });
    await master.serving();
    await master.waitFor('workerAdmitted');
    const worker = await master.workerPid(1);
    kill(worker);
    await master.waitFor('workerFailed');
    writeFileSync(flag, '');
    await master.waitForLine('heard 42');
    await master.waitForLine('again 43');
  },
);
