/** The tools that write the output of a program to files, each set up as its manual says, and `cat`, which only writes it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownVersion } from '../peers/graceful-run.ts';
import { launch, packageVersion, versionOf, type Launched } from '../peers/launch.ts';
import { packagePath } from '../processes.ts';
import type { ManagerHome } from '../programs/manager-home.ts';

export interface Logger {
  readonly name: string;
  readonly setup: string;
  /** Returns the version of the tool; null if it is not installed. */
  readonly version: () => string | null;
  /** Starts the tool with `sh SCRIPT`, whose stdout it writes to files in `logs`. Its process stays in the foreground, or it has a home. */
  readonly start: (home: ManagerHome, script: string, logs: string) => Promise<Launched> | Launched;
}

const executable: string = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;

export const loggers: readonly Logger[] = [
  {
    name: 'cat',
    setup: '`sh SCRIPT | cat > FILE`: no lines, no rotation',
    version: () => versionOf('cat', ['--version']),
    start: ({ env }, script, logs) =>
      launch('sh', ['-c', 'sh "$0" | cat > "$1"', script, join(logs, 'cat.log')], { env }),
  },
  gracefulRun('graceful-run', '`stdout_logfile`, with rotation at 50 MB', []),
  gracefulRun('graceful-run, timestamps', 'the same with `logfile_timestamps`', [
    'logfile_timestamps = true',
  ]),
  gracefulRun('graceful-run, JSON', 'the same with `logfile_format = "json"`', ['logfile_format = "json"']),
  {
    name: 'supervisord',
    setup: '`stdout_logfile`, with rotation at 50 MB',
    version: () => versionOf('supervisord', ['--version']),
    start({ path, env }, script, logs) {
      const file = join(path, 'supervisord.conf');
      const lines = [
        '[supervisord]',
        `logfile=${join(path, 'supervisord.log')}`,
        `pidfile=${join(path, 'supervisord.pid')}`,
        '[program:writer]',
        `command=sh ${script}`,
        `stdout_logfile=${join(logs, 'writer.log')}`,
        'stdout_logfile_maxbytes=50MB',
        'stdout_logfile_backups=1000',
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      return launch('supervisord', ['-n', '-c', file], { env, cwd: path });
    },
  },
  {
    name: 'pm2',
    setup: 'fork mode in the foreground (`pm2 start --no-daemon`), `out_file`; it does not rotate',
    version: () => packageVersion('pm2'),
    start({ path, env }, script, logs) {
      const file = join(path, 'ecosystem.json');
      const app = {
        name: 'writer',
        script,
        interpreter: 'sh',
        exec_mode: 'fork',
        autorestart: false,
        out_file: join(logs, 'writer.log'),
        error_file: join(path, 'error.log'),
      };
      writeFileSync(file, JSON.stringify({ apps: [app] }));
      return launch(process.execPath, [packagePath('pm2/bin/pm2'), 'start', file, '--no-daemon'], {
        env: { ...env, PM2_HOME: path },
        cwd: path,
      });
    },
  },
  {
    name: 'svlogd',
    setup: '`sh SCRIPT | svlogd DIR` of runit, with rotation at 50 MB',
    version: () => packagedVersion('svlogd', 'runit'),
    start({ env }, script, logs) {
      writeFileSync(join(logs, 'config'), 's52428800\nn1000\n');
      return launch('sh', ['-c', 'sh "$0" | svlogd "$1"', script, logs], { env });
    },
  },
  {
    name: 'multilog',
    setup: '`sh SCRIPT | multilog s16777215 n1000 DIR` of daemontools: 16 MB is its limit',
    version: () => packagedVersion('multilog', 'daemontools'),
    start: ({ env }, script, logs) =>
      launch('sh', ['-c', 'sh "$0" | multilog s16777215 n1000 "$1"', script, join(logs, 'multilog')], {
        env,
      }),
  },
];

function gracefulRun(name: string, setup: string, keys: readonly string[]): Logger {
  return {
    name,
    setup,
    version: ownVersion,
    start({ path, env }, script, logs) {
      const file = join(path, 'graceful.toml');
      mkdirSync(join(path, 'run'), { recursive: true });
      const lines = [
        '[program.writer]',
        `command = ${JSON.stringify(['sh', script])}`,
        'listen = ["127.0.0.1:0"]',
        `stdout_logfile = ${JSON.stringify(join(logs, 'writer.log'))}`,
        'stdout_logfile_backups = 1000',
        ...keys,
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      return launch(process.execPath, [executable, '-c', file, '--log-format', 'json'], {
        env: { ...env, XDG_RUNTIME_DIR: join(path, 'run') },
        cwd: path,
      });
    },
  };
}

/** Returns the version of the Debian package of a command that does not tell its own version. */
function packagedVersion(command: string, name: string): string | null {
  if (versionOf(command, ['-V']) === null) return null;
  return versionOf('dpkg-query', ['--show', name]) ?? 'unknown version';
}
