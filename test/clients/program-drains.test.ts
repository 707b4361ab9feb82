// A request that is in flight when a program is told to drain. First the programs of docs/programs.md, whose requests now wait; then those that
// cannot inherit a listener as Debian packages them, on a port of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { drainSignalFor } from '../../src/master/launch/program-drain-signal.ts';
import type { EventOf } from '../helpers/event-log.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { askFastCgi } from './fastcgi-client.ts';
import { startGate } from './gate.ts';
import { readExamples, type Example } from './program-examples.ts';
import { env, folderFor, startExample, type RunningExample } from './run-example.ts';
import { waitingAt } from './waiting-requests.ts';

/** How long a request is in flight after the signal. A program that cuts its requests does so at once. */
const slowMs = 1_000;

for (const example of readExamples())
  test.skipIf(!canRun(example.needs))(
    `${example.name} answers a request that is in flight at a reload, and then exits`,
    async () => {
      const { answer, exited } = await reloadDuringRequest(example);
      expect(await answer).toBe('hello');
      expect(await exited()).toMatchObject({ from: 'draining', outcome: example.outcome });
    },
    30_000,
  );

test.skipIf(!canRun(['nginx']))(
  'nginx cuts a request that is in flight if its drain signal is SIGTERM',
  async () => {
    const [nginx] = readExamples().filter(({ name }) => name === 'nginx');
    if (nginx === undefined) throw new Error('there is no example of nginx');
    const { answer } = await reloadDuringRequest({
      ...nginx,
      flags: [...nginx.flags, '--drain-signal', 'TERM'],
    });
    await expect(answer).rejects.toThrow();
  },
);

interface OwnPort {
  readonly name: string;
  readonly command: readonly string[];
  readonly file: string;
  readonly text: (port: number, gate: number) => string;
}

const onOwnPort: readonly OwnPort[] = [
  {
    name: 'Apache',
    command: ['apache2', '-D', 'FOREGROUND', '-d', '.', '-f', 'apache.conf'],
    file: 'apache.conf',
    text: (port, gate) => `
ServerName localhost
Listen 127.0.0.1:${port}
PidFile apache.pid
ErrorLog error.log
User nobody
Group nogroup
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / http://127.0.0.1:${gate}/
`,
  },
  {
    name: 'Caddy',
    command: ['caddy', 'run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
    file: 'Caddyfile',
    text: (port, gate) => `{
	admin off
	grace_period 20s
}
http://127.0.0.1:${port} {
	reverse_proxy 127.0.0.1:${gate}
}
`,
  },
];

for (const { name, command, file, text } of onOwnPort)
  test.skipIf(!canRun(command.slice(0, 1)))(
    `${name} answers a request that is in flight when it gets its drain signal, and exits with code 0`,
    async () => {
      const [gate, port] = await Promise.all([startGate(), freePort()]);
      const cwd = folderFor([{ path: file, text: text(port, gate.port) }]);
      const [program = '', ...args] = command;
      // Caddy keeps its state in the home folder.
      const child = spawn(program, args, {
        cwd,
        env: { ...env, HOME: cwd, XDG_DATA_HOME: cwd },
        stdio: 'ignore',
      });
      const exited = once(child, 'exit');
      onTestFinished(async () => {
        gate.open();
        child.kill('SIGTERM');
        await exited;
      });
      await eventually('it listens', () => canConnect(port), 10_000);
      const answer = get(port);
      await Promise.race([gate.reached, answer]);
      child.kill(drainSignalFor(command));
      await pause(slowMs);
      gate.open();
      expect(await answer).toMatchObject({ status: 200, body: 'hello' });
      expect(await exited).toEqual([0, null]);
    },
    30_000,
  );

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
