// The end of a worker is reported when everything that it has said was read, and not only when patience is over.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { listen } from '../../src/master/system-calls/socket-calls.ts';
import { system } from '../../src/master/process/system.ts';
import { temporaryFolder } from '../helpers/run-master.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('its last message comes first, and nobody waits for a timer', async () => {
  // Loads the system calls, and fails.
  await listen(-1, 1);
  // Patience with a stranger that holds stderr has no end here.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const heard: unknown[] = [];
  await new Promise<void>((resolve) => {
    system.spawn(
      {
        file: process.execPath,
        args: ['-e', "process.send('last', () => process.exit(3))"],
        cwd: process.cwd(),
        environment: {},
        isNode: false,
        mark: '',
        probe: null,
        tree: 'test.1',
        program: process.execPath,
        uid: null,
        notifyPath: null,
        readyFd: null,
        listeners: [],
        drainSignal: null,
        outliveMs: 1_000,
      },
      {
        message: (message) => heard.push(message),
        garbage: () => heard.push('garbage'),
        stderr: () => undefined,
        failed: (error) => heard.push(error),
        exit: (outcome) => {
          heard.push(outcome);
          resolve();
        },
      },
    );
  });
  expect(heard).toEqual(['last', { code: 3, signal: null }]);
});

test('what was written to stderr by then is read before its end is reported, however late the master is', async () => {
  await listen(-1, 1);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const folder = temporaryFolder();
  const [go, written, apart] = ['go', 'written', 'apart'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  // In a session of its own, so that it outlives the worker and holds its stderr.
  const helper = `touch ${apart}; while [ ! -e ${go} ]; do sleep 0.01; done; echo "Error: boom" >&2; touch ${written}; sleep 2`;
  const heard: string[] = [];
  const exited = new Promise<void>((resolve) => {
    system.spawn(
      {
        file: 'sh',
        args: ['-c', `setsid sh -c '${helper}' & while [ ! -e ${apart} ]; do sleep 0.01; done; exit 3`],
        cwd: process.cwd(),
        environment: { ...process.env } as Record<string, string>,
        isNode: false,
        mark: '',
        probe: null,
        tree: 'test.2',
        program: process.execPath,
        uid: null,
        notifyPath: null,
        readyFd: null,
        listeners: [],
        drainSignal: null,
        outliveMs: 1_000,
      },
      {
        message: () => undefined,
        garbage: () => undefined,
        stderr: (bytes) => heard.push(Buffer.from(bytes).toString()),
        failed: (error) => heard.push(String(error)),
        exit: ({ code }) => {
          heard.push(`exit ${code}`);
          resolve();
        },
      },
    );
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  // The worker has ended, and the patience with its stderr is armed.
  while (vi.getTimerCount() === 0) await turn();
  // Nothing is read while this waits.
  writeFileSync(go, '');
  const until = performance.now() + 5_000;
  while (!existsSync(written) && performance.now() < until);
  vi.advanceTimersByTime(1_000);
  await exited;
  expect(heard).toEqual(['Error: boom\n', 'exit 3']);
});
