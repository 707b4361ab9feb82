/**
 * Servers in other languages that can reload themselves, as their own documentation recommends it and under graceful-run, with the same configuration.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../test/helpers/eventually.ts';
import { startFastCgiLoad } from '../../test/clients/fastcgi-client.ts';
import type { Load } from '../../test/helpers/load.ts';
import { freePort } from '../../test/helpers/plain-client.ts';
import { startLoad } from '../../test/helpers/strict-client.ts';
import { startUnderMaster } from '../own/processes.ts';
import { launch, patienceMs, untilServing, versionOf } from '../peers/launch.ts';
import { childrenOf } from '../proc.ts';
import { temporaryFolder } from '../processes.ts';

export interface LoadOptions {
  readonly mode: 'fresh' | 'keepAlive';
  readonly clients: number;
  readonly paceMs: number;
}

export interface RunningProgram {
  readonly load: (options: LoadOptions) => Load;
  /** Requests a reload. Resolves when the new workers serve. */
  reload(): Promise<void>;
  /** Resolves when the old workers of all reloads are gone, as far as that can be seen. */
  drained(): Promise<void>;
  stop(): Promise<void>;
}

interface Place {
  readonly folder: string;
  readonly port: number;
}

export interface Program {
  readonly name: string;
  /** Returns the version of the server, or null if it is not installed. */
  version(): string | null;
  /** The server's own way to reload, for the page. */
  readonly ownWay: string;
  readonly signal: NodeJS.Signals;
  readonly isFastCgi?: boolean;
  files(place: Place): Readonly<Record<string, string>>;
  own(place: Place): readonly string[];
  under(place: Place): readonly string[];
}

const workers = 2;

export const programs: readonly Program[] = [
  {
    name: 'gunicorn',
    version: () => versionOf('gunicorn', ['--version']),
    ownWay: 'SIGHUP',
    signal: 'SIGHUP',
    files: () => ({
      'app.py': [
        'def app(environ, start_response):',
        '    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])',
        '    return [b"hello"]\n',
      ].join('\n'),
    }),
    own: ({ port }) => [...gunicorn, '--bind', `127.0.0.1:${port}`, 'app:app'],
    under: () => [...gunicorn, 'app:app'],
  },
  {
    name: 'nginx',
    version: () => versionOf('nginx', ['-v']),
    ownWay: '`nginx -s reload`',
    signal: 'SIGHUP',
    files: ({ folder, port }) => ({
      'nginx.conf': `daemon off; worker_processes ${workers}; error_log stderr error; pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http { access_log off; server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } } }
`,
    }),
    own: ({ folder }) => ['nginx', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'],
    under: ({ folder }) => ['env', 'NGINX={fd};', 'nginx', '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'],
  },
  {
    name: 'puma',
    version: () => versionOf('puma', ['--version']),
    ownWay: 'phased restart (SIGUSR1)',
    signal: 'SIGUSR1',
    files: () => ({
      'puma.rb': `queue_requests false\nworkers ${workers}\nthreads 32, 32\n`,
      'config.ru': 'run ->(env) { [200, { "Content-Type" => "text/plain" }, ["hello"]] }\n',
    }),
    own: ({ port }) => [...puma, '--bind', `tcp://127.0.0.1:${port}`, 'config.ru'],
    under: () => [...puma, '--bind', 'tcp://{host}:{port}', 'config.ru'],
  },
  {
    name: 'php-fpm',
    version: () => versionOf('php-fpm8.2', ['-v']),
    ownWay: 'SIGUSR2',
    signal: 'SIGUSR2',
    isFastCgi: true,
    files: ({ port }) => ({
      'fpm.conf': [
        '[global]',
        'log_level = error',
        'process_control_timeout = 10s',
        '[www]',
        `listen = 127.0.0.1:${port}`,
        'user = nobody',
        'pm = static',
        'pm.max_children = 40',
        '',
      ].join('\n'),
      'index.php': '<?php echo "hello";\n',
    }),
    own: () => fpm,
    under: () => ['env', 'FPM_SOCKETS={host}:{port}={fd}', ...fpm],
  },
];

const gunicorn = [
  ...['gunicorn', '--workers', String(workers), '--worker-class', 'gthread', '--threads', '32'],
  ...['--keep-alive', '5', '--graceful-timeout', '10', '--log-level', 'error'],
];
const puma = ['puma', '--quiet', '--config', 'puma.rb'];
const fpm = ['php-fpm8.2', '-F', '-O', '-y', 'fpm.conf'];

const env: NodeJS.ProcessEnv = {
  PYTHONDONTWRITEBYTECODE: '1',
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`,
};

export async function startItself(program: Program): Promise<RunningProgram> {
  const { place, remove, load } = await prepare(program);
  const [file = '', ...args] = program.own(place);
  const master = launch(file, args, { cwd: place.folder, env });
  if (program.isFastCgi === true)
    await eventually('workers', () => childrenOf(master.pid).length > 1, patienceMs);
  else await untilServing(master, place.port);
  return {
    load,
    async reload() {
      const before = new Set(childrenOf(master.pid));
      process.kill(master.pid, program.signal);
      // A phased restart replaces one worker after the other.
      const isNew = (pid: number): boolean => !before.has(pid);
      await eventually(
        'new workers',
        () => childrenOf(master.pid).filter(isNew).length >= Math.min(workers, before.size),
        patienceMs,
      );
    },
    drained: async () => Promise.resolve(),
    async stop() {
      await master.stop();
      remove();
    },
  };
}

export async function startUnder(program: Program, more: readonly string[]): Promise<RunningProgram> {
  const { place, remove, load } = await prepare(program);
  const flags = ['--host', '127.0.0.1', '--port', String(place.port), ...more];
  const { pid, log, stop } = await startUnderMaster(program.under(place), flags, { cwd: place.folder, env });
  return {
    load,
    async reload() {
      const generation = log.all('generationReady').length + 1;
      process.kill(pid, 'SIGHUP');
      await log.waitFor('generationReady', { generation });
    },
    async drained() {
      const generation = log.all('generationReady').length - 1;
      if (generation === 0) return;
      // One that does not end is killed when the drain timeout (30 s) is over: that is a figure, too.
      const hasEnded = (): boolean => log.all('workerExited', { generation }).length > 0;
      await eventually('the old workers have ended', hasEnded, 60_000);
    },
    async stop() {
      await stop();
      remove();
    },
  };
}

async function prepare(program: Program): Promise<{
  readonly place: Place;
  readonly remove: () => void;
  readonly load: RunningProgram['load'];
}> {
  const temporary = temporaryFolder();
  const folder = temporary.path;
  chmodSync(folder, 0o755);
  const place = { folder, port: await freePort() };
  for (const [name, text] of Object.entries(program.files(place))) writeFileSync(join(folder, name), text);
  const common = { port: place.port, maxMs: 200_000, maxFailures: Infinity, isUneven: true };
  return {
    place,
    remove: () => {
      temporary.remove();
    },
    load: (options) =>
      program.isFastCgi === true
        ? startFastCgiLoad({ ...common, ...options, script: join(folder, 'index.php'), expected: 'hello' })
        : startLoad({ ...common, ...options }),
  };
}
