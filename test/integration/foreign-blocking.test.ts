// accept(2) of one open socket either waits or does not, for every process that has it: Node.js must not wait, and other programs differ. A reload can
// replace one kind by another.
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { get } from '../helpers/plain-client.ts';
import { openConnection } from '../helpers/strict-connection.ts';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';

const python = (name: string): string => `python3 ${appPath(name).replace(/cjs$/, 'py')}`;

/** Generation 1 is Node.js, and all later ones are `program`. */
async function replaceNodeBy(program: string): Promise<{ master: RunningMaster; port: number }> {
  const flag = join(temporaryFolder(), 'later');
  const master = runMaster({
    command: ['sh', '-c', `test -e ${flag} && exec ${program}; exec node ${appPath('serves')}`],
    flags: ['--startsecs', '300ms', '--ready', 'delay:500ms'],
  });
  const port = await master.serving();
  expect((await get(port)).body).toContain('generation');
  writeFileSync(flag, '');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  return { master, port };
}

test('a program that has set the listener to non-blocking keeps that when the last Node.js worker ends', async () => {
  const { master, port } = await replaceNodeBy(python('serves-asyncio'));
  for (let request = 0; request < 3; request += 1) expect((await get(port)).body).toMatch(/^asyncio/);
  await master.reload(3);
  const { outcome } = await master.waitFor('workerExited', { generation: 2 });
  expect(outcome).toEqual({ code: 0, signal: null });
  expect((await get(port)).body).toMatch(/^asyncio/);
});

test('a program that waits in accept(2) does so once the last Node.js worker has ended', async () => {
  const { master, port } = await replaceNodeBy(python('waits-in-accept'));
  const pid = await master.workerPid(2);
  await eventually('it waits in accept(2)', () =>
    readFileSync(`/proc/${pid}/wchan`, 'latin1').startsWith('inet_csk_accept'),
  );
  expect((await get(port)).body).toBe(`waits ${pid}`);
});

// As many as it takes for two processes to be woken for the same one.
const connections = 40;

test.each([
  { listeners: 'a shared listener', flags: [] },
  { listeners: 'listeners of their own', flags: ['--reuse-port'] },
])(
  'with $listeners, no process that has the listener in an epoll waits in accept(2) while its clients ask',
  async ({ flags }) => {
    const master = runMaster({
      command: ['python3', appPath('accepts-in-two').replace(/cjs$/, 'py')],
      flags: ['--host', '127.0.0.1', '--ready', 'delay:500ms', ...flags],
    });
    const port = await master.serving();
    for (const generation of [1, 2]) {
      if (generation === 2) await master.reload(2);
      const opened = [];
      for (let at = 0; at < connections; at += 1)
        opened.push(await openConnection(() => net.connect(port, '127.0.0.1'), 'connect', 5_000));
      for (const connection of opened) {
        if (!('ask' in connection)) throw new Error(connection.detail);
        expect(await connection.ask('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 5_000)).toMatchObject({
          kind: 'answered',
        });
      }
      for (const connection of opened) if ('ask' in connection) connection.close();
    }
  },
);
