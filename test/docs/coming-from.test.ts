// Runs the commands of docs/coming-from.md as they stand; only ports, folders and comments are replaced.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { optionTable } from '../../src/master/cli/option-table.ts';
import { EventLog } from '../helpers/event-log.ts';
import { freePort } from '../helpers/plain-client.ts';

const root = new URL('../..', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/coming-from.md'), 'utf8');
const run = promisify(execFile);

let folder: string;
let port: number;
let master: ChildProcess | null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gr-coming-from-'));
  port = await freePort();
  master = null;
  mkdirSync(join(folder, 'bin'));
  for (const [name, file] of [
    ['graceful-run', 'graceful-run.cjs'],
    ['gracefulctl', 'gracefulctl.cjs'],
  ] as const) {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\nexec node ${join(root, 'bin', file)} "$@"\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  }
  const app = `require('node:http').createServer((q, r) => r.end()).listen(${port});`;
  for (const directory of [folder, join(folder, 'srv')]) {
    mkdirSync(join(directory, 'src'), { recursive: true });
    writeFileSync(join(directory, 'app.js'), app);
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { start: 'node app.js' } }));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});

afterEach(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

test.each(['pm2', 'nodemon', 'supervisor'])(
  'every command of the part about %s does what it says',
  async (tool) => {
    const [, code = ''] = new RegExp(`<!-- test: ${tool} -->\n\`\`\`sh\n([^]*?)\`\`\``).exec(page) ?? [];
    const lines = code.replaceAll('10086', String(port)).replaceAll('/srv/app', join(folder, 'srv')).trim();
    expect(lines).not.toBe('');
    for (const line of lines.split('\n')) {
      if (line.startsWith('graceful-run')) {
        await stop();
        await start(line);
      } else {
        await run('bash', ['-ec', line], { cwd: folder, env: environment(), timeout: 20_000 });
      }
    }
  },
);

test('every block of shell in the page is run', () => {
  const blocks = page.match(/^```sh$/gm) ?? [];
  expect(page.match(/^<!-- test: .* -->\n```sh$/gm)).toHaveLength(blocks.length);
});

test('every option in the right-hand columns exists', () => {
  const known = [...optionTable.map(({ flag }) => flag), 'wait', 'json', 'dry-run'];
  const cells = page.split('\n').flatMap((line) => (line.startsWith('|') ? [line.split('|')[2] ?? ''] : []));
  const named = cells.flatMap((cell) => [...cell.matchAll(/--([a-z-]*[a-z])/g)].map(([, flag = '']) => flag));
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((flag) => !known.includes(flag))).toEqual([]);
});

function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    GRACEFUL_RUN_CONTROL_FOLDER: join(folder, 'control'),
  };
}

async function start(line: string): Promise<void> {
  master = spawn('bash', ['-ec', `exec ${line}`], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log = new EventLog();
  if (master.stderr !== null) log.read(master.stderr);
  await log.waitFor('generationReady', { generation: 1 });
}

async function stop(): Promise<void> {
  if (master === null || master.exitCode !== null || master.signalCode !== null) return;
  master.kill('SIGTERM');
  await once(master, 'exit');
}
