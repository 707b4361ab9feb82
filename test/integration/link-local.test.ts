// Link-local addresses, which need their interface as a zone: fe80::1%eth0. In a network of its own, whose only interface is called like the bridges of Docker.
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { app, runMaster, type RunningMaster, type RunOptions } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

function inNetwork(name: string): readonly string[] {
  const script = [
    `ip link set lo name ${name}`,
    `ip link set ${name} up`,
    `ip addr add fe80::1/64 dev ${name} nodad`,
    'exec "$@"',
  ];
  return ['unshare', '-rn', 'sh', '-ec', script.join('\n'), 'sh'];
}

/** Not in every container, nor without IPv6. */
const canLinkLocal = ((): boolean => {
  try {
    execFileSync('env', [...inNetwork('br-1234abcd'), 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

function run(flags: readonly string[], network = 'br-1234abcd', options: RunOptions = {}): RunningMaster {
  return runMaster({
    through: inNetwork(network),
    hasOwnFlags: false,
    name: 'app',
    flags: ['--name', 'app', '--log-level', 'debug', '--log-format', 'json', '--probation', '0s', ...flags],
    ...options,
  });
}

const listensOn = (host: string): RunOptions => ({
  command: app('listens-on'),
  env: { LISTEN: JSON.stringify([{ host }]) },
});

test.runIf(mayRun(canLinkLocal)).each([
  ['a bridge', 'br-1234abcd', []],
  ['a bridge, with an option of the socket', 'br-1234abcd', ['--backlog', '64', '--keepalive', 'on']],
  ['an interface whose name Node.js would not take for one', 'veth_1@x+2', []],
])('a link-local address is listened on at its interface: %s', async (_which, network, flags) => {
  const master = run(['--listen', `[fe80::1%${network}]:3000`, ...flags], network);
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ host: `fe80::1%${network}`, port: 3000 });
  expect(master.all('undeclaredListen')).toEqual([]);
});

test.runIf(mayRun(canLinkLocal))('a program may ask for a link-local address itself', async () => {
  const host = 'fe80::1%br-1234abcd';
  const master = run(['--port', '3000'], undefined, listensOn(host));
  await master.waitFor('generationReady', { generation: 1 });
  await master.waitFor('listenerBound', { host });
  expect((await master.status()).listeners).toMatchObject([{ host, port: 3000 }]);
  await master.reload(2);
  expect(master.all('narrowListen')).toEqual([]);
});

test.runIf(mayRun(canLinkLocal))('a UDP socket has the interface too', async () => {
  const master = run(['--listen', 'udp:[fe80::1%br-1234abcd]:5353'], undefined, {
    command: app('serves-udp'),
    env: { UDP_HOST: 'fe80::1%br-1234abcd', UDP_PORTS: '5353' },
  });
  await master.waitFor('generationReady', { generation: 1 });
  expect(await master.waitFor('listenerBound')).toMatchObject({ host: 'fe80::1%br-1234abcd', port: 5353 });
});

test.runIf(mayRun(canLinkLocal)).each([
  ['without options', 'fe80::1%gone', []],
  ['with an option of the socket', 'fe80::1%gone', ['--keepalive', 'on']],
  ['whose name has other characters', 'fe80::1%br_gone', []],
])('an interface that does not exist: the error lists those that do, %s', async (_how, host, flags) => {
  const master = run(['--listen', `[${host}]:3000`, ...flags]);
  expect(await master.exited).toMatchObject({ code: 1 });
  const [, zone = ''] = host.split('%');
  expect(master.output).toContain(`cannot listen on [${host}]:3000: there is no interface ${zone}`);
  expect(master.output).toContain('br-1234abcd');
});

test.runIf(mayRun(canLinkLocal))('a link-local address without an interface: what to write', async () => {
  const master = run(['--listen', '[fe80::1]:3000']);
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain('a link-local address needs its interface');
  expect(master.output).toContain('fe80::1%br-1234abcd');
});
