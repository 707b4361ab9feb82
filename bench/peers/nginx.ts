/** nginx. It responds itself, and forwards slow requests and WebSockets to a backend. */
import { launch, runReplacing, untilServing, versionOf } from './launch.ts';
import { startProxy, type Place } from './proxy.ts';
import type { RunningTool, Tool } from './tool.ts';

export const nginx: Tool = {
  name: 'nginx',
  setup: 'reload (SIGHUP); `return 200 "$pid"`, slow responses and WebSockets by `proxy_pass`',
  version: () => versionOf('nginx', ['-v']),
  isReloadable: true,
  hasMaster: true,
  canWebSockets: true,
  start: (options) => startProxy(options, { configure, run }),
};

async function run({ folder, file, port }: Place): Promise<RunningTool> {
  const master = launch('nginx', ['-c', file, '-p', folder, '-e', 'stderr']);
  await untilServing(master, port);
  return runReplacing(master, port, () => void process.kill(master.pid, 'SIGHUP'));
}

function configure({ folder, port, backendPort, workers }: Place): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${folder}/${name};`,
  );
  return `
daemon off;
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  default_type text/plain;
${temporary.join('\n')}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port};
    location = / { return 200 "$pid"; }
    location / {
      proxy_pass http://127.0.0.1:${backendPort};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
}
`;
}
