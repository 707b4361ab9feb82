// The end of a worker is reported when everything that it has said was read, and not only when patience is over.
import { afterEach, expect, test, vi } from 'vitest';
import { listen } from '../../src/master/system-calls/syscalls.ts';
import { system } from '../../src/master/process/system.ts';

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
        listeners: [],
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
