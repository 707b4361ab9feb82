// nginx that logs to /dev/stdout and /dev/stderr, as its container image does.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort, get } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { canRun, programFolders } from '../helpers/required-programs.ts';

function configOf(port: number): string {
  return [
    'daemon off;',
    'error_log /dev/stderr info;',
    'pid nginx.pid;',
    'events {}',
    'http {',
    '  access_log /dev/stdout;',
    `  server { listen 127.0.0.1:${port}; location / { return 200 "hello"; } }`,
    '}',
  ].join('\n');
}

test.runIf(canRun(['nginx'])).each(['a log file', 'forward', 'inherit'])(
  'nginx that logs to /dev/stdout gets its lines through a reload, with %s',
  async (where) => {
    const cwd = temporaryFolder();
    const port = await freePort();
    writeFileSync(join(cwd, 'nginx.conf'), configOf(port));
    const file = join(cwd, 'nginx.log');
    const own = ['--name', 'nginx', '--host', '127.0.0.1', '--port', String(port), '--startsecs', '300ms'];
    const harness = ['--log-level', 'debug', '--log-format', 'json', '--probation', '0s'];
    const to =
      where === 'a log file'
        ? ['--stdout-logfile', file, '--stderr-logfile', file]
        : ['--stdout-logfile', where];
    const master = runMaster({
      cwd,
      // A socket could not be opened, and what is inherited is what the master has.
      through: ['sh', '-c', '"$@" | cat', 'sh'],
      env: { PATH: programFolders.join(':') },
      hasOwnFlags: false,
      name: 'nginx',
      flags: [...own, ...harness, ...to],
      command: ['env', 'NGINX={fd};', 'nginx', '-p', '.', '-c', 'nginx.conf'],
    });
    let out = '';
    master.child.stdout?.on('data', (text: string) => (out += text));
    await master.serving();
    await get(port, '/one');
    await master.reload(2);
    await master.waitFor('workerExited', { generation: 1 });
    await get(port, '/two');
    master.signal('SIGTERM');
    await master.closed;
    const lines = where === 'a log file' ? readFileSync(file, 'utf8') : out;
    expect(lines).toMatch(/"GET \/one HTTP\/1.1" 200/);
    expect(lines).toMatch(/"GET \/two HTTP\/1.1" 200/);
    if (where === 'a log file') expect(lines).toContain('[notice]');
  },
);
