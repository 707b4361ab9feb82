// A request that is in flight when a program is told to drain. First the programs of docs/programs.md, whose requests now wait; then those that
// cannot inherit a listener as Debian packages them, on a port of their own.
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { EventOf } from '../helpers/event-log.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { askFastCgi } from './fastcgi-client.ts';
import { startGate } from './gate.ts';
import { exampleOf, readExamples, type Example } from './program-examples.ts';
import { env, folderFor, startExample, type RunningExample } from './run-example.ts';
import { waitingAt } from './waiting-requests.ts';

/** How long a request is in flight after the signal. A program that cuts its requests does so at once. */
const slowMs = 1_000;

for (const example of readExamples().filter(({ bindsItself }) => !bindsItself))
  test.skipIf(!canRun(example.needs))(
    `${example.name} answers a request that is in flight at a reload, and then exits`,
    async () => {
      const { answer, exited } = await reloadDuringRequest(example);
      expect(await answer).toBe('hello');
      expect(await exited()).toMatchObject({ from: 'draining', outcome: example.outcome });
    },
    30_000,
  );

test.skipIf(!canRun(['starman', 'plackup']))(
  'plackup -s Starman answers a request that is in flight at a reload, and then exits',
  async () => {
    const starman = exampleOf('starman');
    const [, ...args] = starman.command;
    const { answer, exited } = await reloadDuringRequest({
      ...starman,
      command: ['plackup', '-s', 'Starman', ...args],
    });
    expect(await answer).toBe('hello');
    expect(await exited()).toMatchObject({ from: 'draining', outcome: { code: 0 } });
  },
  30_000,
);

test.skipIf(!canRun(['nginx']))(
  'nginx cuts a request that is in flight if its drain signal is SIGTERM',
  async () => {
    const nginx = exampleOf('nginx');
    const { answer } = await reloadDuringRequest({
      ...nginx,
      flags: [...nginx.flags, '--drain-signal', 'TERM'],
    });
    await expect(answer).rejects.toThrow();
  },
);

interface OwnPort {
  readonly name: string;
  readonly needs: readonly string[];
  /** `PORT` and `GATE` stand for the ports of the program and of the gate, also in the text. */
  readonly command: readonly string[];
  readonly file: string;
  readonly text: string;
}

const onOwnPort: readonly OwnPort[] = [
  {
    name: 'Apache',
    needs: ['apache2'],
    command: ['apache2', '-D', 'FOREGROUND', '-d', '.', '-f', 'apache.conf'],
    file: 'apache.conf',
    text: `
ServerName localhost
Listen 127.0.0.1:PORT
PidFile apache.pid
ErrorLog error.log
User nobody
Group nogroup
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / http://127.0.0.1:GATE/
`,
  },
  {
    name: 'Caddy',
    needs: ['caddy'],
    command: ['caddy', 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
    file: 'Caddyfile',
    text: `{
	admin off
	grace_period 20s
}
http://127.0.0.1:PORT {
	reverse_proxy 127.0.0.1:GATE
}
`,
  },
  {
    name: 'start_server with starman behind it',
    needs: ['start_server', 'starman'],
    command: [
      ...['start_server', '--port', '127.0.0.1:PORT', '--signal-on-term=QUIT', '--'],
      ...['starman', '--workers', '2', 'app.psgi'],
    ],
    file: 'app.psgi',
    text: `use IO::Socket::INET;
sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:GATE")->getc; [200, ["Content-Length" => 5], ["hello"]] }
`,
  },
];

for (const { name, needs, command, file, text } of onOwnPort)
  test.skipIf(!canRun(needs))(
    `${name} answers a request that is in flight at a stop, and exits with code 0`,
    async () => {
      const [gate, port] = await Promise.all([startGate(), freePort()]);
      const placed = (words: string): string =>
        words.replaceAll('PORT', String(port)).replaceAll('GATE', String(gate.port));
      const cwd = folderFor([{ path: file, text: placed(text) }]);
      const master = await runOnOwnPort(cwd, command.map(placed), port);
      const answer = get(port);
      answer.catch(() => undefined);
      await Promise.race([gate.reached, answer]);
      master.signal('SIGTERM');
      await master.waitFor('workerDraining');
      await pause(slowMs);
      gate.open();
      expect(await answer).toMatchObject({ status: 200, body: 'hello' });
      expect(await master.waitFor('workerExited')).toMatchObject({ from: 'draining', outcome: { code: 0 } });
    },
    30_000,
  );

test.skipIf(!canRun(['python3']))('python3 -m http.server cuts a request that is in flight', async () => {
  const port = await freePort();
  const cwd = folderFor([]);
  writeFileSync(join(cwd, 'file'), '');
  // More than the buffers of both sockets take.
  truncateSync(join(cwd, 'file'), 64 * 2 ** 20);
  const command = ['python3', '-m', 'http.server', '--bind', '127.0.0.1', String(port)];
  const master = await runOnOwnPort(cwd, command, port);
  const request = http.get({ host: '127.0.0.1', port, path: '/file', agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  master.signal('SIGTERM');
  expect(await master.waitFor('workerExited')).toMatchObject({
    from: 'draining',
    outcome: { signal: 'SIGTERM' },
  });
  expect(response.statusCode).toBe(200);
  await expect(buffer(response)).rejects.toThrow();
});

/** Runs a program that binds its port itself. Resolves when it listens. */
async function runOnOwnPort(cwd: string, command: readonly string[], port: number): Promise<RunningMaster> {
  const config = `[program.example]\ntype = "worker"\nstartsecs = "100ms"\ncommand = ${JSON.stringify(command)}\n`;
  writeFileSync(join(cwd, 'graceful.toml'), config);
  const master = runMaster({
    cwd,
    // Caddy keeps its state in the home folder.
    env: { PATH: env['PATH'], HOME: cwd, XDG_DATA_HOME: cwd, XDG_CONFIG_HOME: cwd },
    hasOwnFlags: false,
    flags: ['-c', 'graceful.toml', '--log-format', 'json', '--log-level', 'debug'],
    command: [],
  });
  await master.waitFor('generationReady');
  await eventually('it listens', () => canConnect(port), 10_000);
  return master;
}

/** Reloads when a request is in flight, which ends when the old worker has been draining for a while. */
async function reloadDuringRequest(example: Example): Promise<{
  readonly answer: Promise<string>;
  readonly exited: () => Promise<EventOf<'workerExited'>>;
}> {
  const gate = await startGate();
  const running = await startExample(waitingAt(gate.port, example));
  const answer = ask(example, running);
  answer.catch(() => undefined);
  await Promise.race([gate.reached, answer]);
  const { master } = running;
  master.signal('SIGHUP');
  await master.waitFor('workerDraining', { generation: 1 });
  await pause(slowMs);
  gate.open();
  return { answer, exited: () => master.waitFor('workerExited', { generation: 1 }) };
}

async function ask({ protocol }: Example, { port, cwd }: RunningExample): Promise<string> {
  if (protocol === 'http') return (await get(port)).body.trim();
  return askFastCgi(port, join(cwd, 'index.php'));
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('error', () => {
      resolve(false);
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
