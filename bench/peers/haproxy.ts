/** HAProxy in master-worker mode. Like nginx it responds itself, and forwards slow requests and WebSockets. */
import net from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../test/helpers/eventually.ts';
import { launch, patienceMs, runReplacing, untilServing, versionOf } from './launch.ts';
import { startProxy, type Place } from './proxy.ts';
import type { RunningTool, Tool } from './tool.ts';

export const haproxy: Tool = {
  name: 'HAProxy',
  setup:
    '`reload` on the socket of its master (`-W -S`), `expose-fd listeners`, one worker with 2 threads; `http-request return`; slow responses and WebSockets from a backend',
  version: () => versionOf('haproxy', ['-v']),
  isReloadable: true,
  hasMaster: true,
  canWebSockets: true,
  start: (options) => startProxy(options, { configure, run }),
};

async function run({ folder, file, port }: Place): Promise<RunningTool> {
  const socket = join(folder, 'master.sock');
  const master = launch('haproxy', ['-W', '-db', '-S', `${socket},mode,600`, '-f', file]);
  await untilServing(master, port);
  // The worker of HAProxy serves before its master accepts commands.
  await eventually('its master listens', () => isTold(socket, 'show proc'), patienceMs);
  return runReplacing(master, port, () =>
    eventually('its master takes a command', () => isTold(socket, 'reload'), patienceMs),
  );
}

/** Sends the master a command on its socket. A signal could be lost, because the master re-executes itself after each start. */
function isTold(path: string, command: string): Promise<boolean> {
  return new Promise((resolve) => {
    let isConnected = false;
    const socket = net.connect(path, () => {
      isConnected = true;
      socket.end(`${command}\n`);
    });
    socket.resume().on('error', () => undefined);
    socket.on('close', () => {
      resolve(isConnected);
    });
  });
}

function configure({ folder, port, backendPort, workers }: Place): string {
  return `
global
  nbthread ${workers}
  stats socket ${folder}/admin.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend work
  bind 127.0.0.1:${port}
  option http-buffer-request
  http-request return status 200 content-type text/plain lf-string "%pid" if { path / }
  default_backend node
backend node
  server node 127.0.0.1:${backendPort}
`;
}
