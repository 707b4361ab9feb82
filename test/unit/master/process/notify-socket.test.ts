import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { deferred } from '../../../../src/master/deferred.ts';
import { newNotifyPath, openNotifySocket } from '../../../../src/master/process/notify-socket.ts';
import { listen } from '../../../../src/master/system-calls/socket-calls.ts';

// As in a master, which binds its listeners first: it loads the system calls.
beforeAll(async () => {
  await listen(-1, 0);
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gr-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

test('what another process sends arrives, and nothing is left when the socket is closed', async () => {
  const folder = temporaryFolder();
  const path = newNotifyPath(folder);
  const arrived = deferred<string>();
  const socket = openNotifySocket(path, null, (bytes) => {
    arrived.resolve(Buffer.from(bytes).toString());
  });
  const script = `import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", sys.argv[1])`;
  execFileSync('python3', ['-c', script, path]);
  expect(await arrived.promise).toBe('READY=1');
  socket.close();
  expect(readdirSync(folder)).toEqual([]);
});

test('where there is no folder, or its path is too long, the socket has a folder of its own that only this user can open', () => {
  for (const folder of [null, join(temporaryFolder(), 'x'.repeat(100))]) {
    const path = newNotifyPath(folder);
    const own = dirname(path);
    expect(statSync(own).mode & 0o777).toBe(0o700);
    openNotifySocket(path, null, () => undefined).close();
    expect(existsSync(own)).toBe(false);
  }
});

test('a socket that cannot be bound is a failed start, and leaves no descriptor open', () => {
  const path = join(temporaryFolder(), 'missing', 'notify');
  const before = readdirSync('/proc/self/fd').length;
  for (let count = 0; count < 5; count += 1)
    expect(() => openNotifySocket(path, null, () => undefined)).toThrow(
      expect.objectContaining({ code: 'startFailed' }),
    );
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 1);
});
