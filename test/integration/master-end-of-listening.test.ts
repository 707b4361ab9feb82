// A process that has inherited the listener and outlives the worker: the port is closed all the same when the master stops.
import { expect, onTestFinished, test } from 'vitest';
import { createMaster } from '../../src/master/index.ts';
import { begin, get, whoAnswers } from '../helpers/plain-client.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { appPath, kill, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

const start = (name: string): readonly string[] => [
  'sh',
  '-c',
  `setsid sleep 300 > /dev/null 2>&1 < /dev/null & echo daemon $! >&2; exec '${process.execPath}' '${appPath(name)}'`,
];

async function withDaemon(name = 'serves'): Promise<{ master: RunningMaster; port: number; daemon: number }> {
  const master = runMaster({ command: start(name) });
  const daemon = Number((await master.waitForLine('daemon')).split(' ')[1]);
  onTestFinished(() => {
    kill(daemon);
  });
  return { master, port: await master.serving(), daemon };
}

async function isRefused(port: number): Promise<void> {
  await expect(get(port)).rejects.toThrow('ECONNREFUSED');
}

test.skipIf(process.platform !== 'linux')(
  'a daemon that holds the listener does not keep the port open, is named, and is killed',
  async () => {
    const { master, port, daemon } = await withDaemon();
    master.signal('SIGTERM');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    expect(master.all('listenerLeftBehind')).toMatchObject([{ port, pids: [daemon] }]);
    expect(isAlive(daemon)).toBe(false);
    await isRefused(port);
    const next = runMaster({ flags: ['--port', String(port)] });
    expect(await next.serving()).toBe(port);
    expect(next.all('addressBusy')).toEqual([]);
  },
);

test.skipIf(process.platform !== 'linux')(
  'the port is closed as soon as no worker accepts, while a request is still in flight',
  async () => {
    const { master, port, daemon } = await withDaemon();
    const { answer } = await begin(port, '/held');
    master.signal('SIGTERM');
    await master.waitFor('workerAcceptsNoMore');
    await isRefused(port);
    kill(await master.workerPid(1), 'SIGUSR2');
    expect((await answer).body).toBe('begun, ended');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    kill(daemon);
  },
);

test.skipIf(process.platform !== 'linux')(
  'clients that wait in the queue are served before the port is closed',
  async () => {
    const { master, port, daemon } = await withDaemon();
    const worker = await master.workerPid(1);
    kill(worker, 'SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 20 }, () => Wire.connect(port)));
    for (const client of clients) client.get('/');
    master.signal('SIGTERM');
    await master.waitFor('listenersClosed');
    kill(worker, 'SIGCONT');
    for (const client of clients) await client.until('}');
    for (const client of clients) client.socket.destroy();
    expect(await master.exited).toEqual({ code: 0, signal: null });
    await isRefused(port);
    kill(daemon);
  },
);

test('a stop without such a process names none', async () => {
  const master = runMaster();
  const port = await master.serving();
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  expect(master.all('listenerLeftBehind')).toEqual([]);
  await isRefused(port);
});

test.skipIf(process.platform !== 'linux')(
  'an embedded master that stops closes the port too, and another one starts on it at once',
  async () => {
    const daemons: number[] = [];
    onTestFinished(() => {
      for (const pid of daemons) kill(pid);
    });
    let port = 0;
    for (let round = 0; round < 2; round += 1) {
      const master = createMaster(
        { command: start('serves'), host: '127.0.0.1', port, control: false, probation: '0s' },
        {
          onStderr: (bytes) => {
            const [, pid] = /daemon (\d+)/.exec(Buffer.from(bytes).toString()) ?? [];
            if (pid !== undefined) daemons.push(Number(pid));
          },
        },
      );
      await master.start();
      port = master.status().listeners[0]?.port ?? 0;
      expect((await whoAnswers(port)).generation).toBe(1);
      await master.stop();
      await isRefused(port);
    }
    expect(daemons).toHaveLength(2);
    // They have been killed; how long init takes to reap them is not ours.
    await eventually('the daemons are gone', () => !daemons.some(isAlive));
  },
);
