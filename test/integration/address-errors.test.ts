// What an operator is told when an address cannot be listened on.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

function run(listen: string, through: readonly string[] = []): RunningMaster {
  return runMaster({
    through,
    hasOwnFlags: false,
    name: 'app',
    flags: ['--name', 'app', '--log-level', 'silent', '--listen', listen],
  });
}

async function hold(at: net.ListenOptions): Promise<number> {
  const server = net.createServer().listen(at);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const unshares = ((): boolean => {
  try {
    execFileSync('unshare', ['-rn', 'setpriv', '--bounding-set=-net_bind_service', 'true'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
})();

test.runIf(mayRun(unshares))('a port below 1024 without the right to it: what to do', async () => {
  const master = run('127.0.0.1:443', [
    ...['unshare', '-rn', 'sh', '-ec', 'ip link set lo up; exec "$@"', 'sh'],
    ...['setpriv', '--bounding-set=-net_bind_service'],
  ]);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('cannot listen on 127.0.0.1:443: permission denied');
  for (const remedy of ['sysctl net.ipv4.ip_unprivileged_port_start=443', 'setcap', 'systemd'])
    expect(master.output).toContain(remedy);
});

test('an address that the machine does not have: those that it has', async () => {
  const master = run('192.0.2.1:3000');
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('cannot listen on 192.0.2.1:3000: this machine has no such address');
  expect(master.output).toContain('127.0.0.1');
  expect(master.output).toContain('--freebind');
});

test('one address of a host name is taken: which one, and by which process', async () => {
  const port = await hold({ host: '::1', port: 0 });
  const master = run(`localhost:${port}`);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(
    `cannot listen on [::1]:${port}: the address is in use by pid ${process.pid} (`,
  );
});

test('the path of a UNIX socket is taken: by which process', async () => {
  const path = join(temporaryFolder(), 'app.sock');
  await hold({ path });
  const master = run(`unix:${path}`);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(`unix:${path}: the address is in use by pid ${process.pid} (`);
});
