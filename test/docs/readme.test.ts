// Runs the README's examples as they stand; only ports and folders are replaced.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EventLog } from '../helpers/event-log.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { freePort, whoAnswers } from '../helpers/plain-client.ts';

const root = new URL('../..', import.meta.url).pathname;
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const run = promisify(execFile);

let folder: string;
let port: number;
let children: ChildProcess[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gr-readme-'));
  port = await freePort();
  children = [];
  // As `npm install` would lay it out.
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  symlinkSync(root, join(folder, 'node_modules', 'graceful-run'));
  symlinkSync(join(root, 'bin/graceful-run.cjs'), join(folder, 'node_modules/.bin/graceful-run'));
  symlinkSync(join(root, 'bin/gracefulctl.cjs'), join(folder, 'node_modules/.bin/gracefulctl'));
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

/** The code block behind the marker `<!-- test: name -->`. */
function example(name: string): string {
  const match = new RegExp(`<!-- test: ${name} -->\n\`\`\`\\w+\n([^]*?)\`\`\``).exec(readme);
  const code = match?.[1];
  if (code === undefined) throw new Error(`the README has no example ${name}`);
  return code.replaceAll('10086', String(port)).replaceAll('/srv/app', join(folder, 'srv'));
}

function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${join(folder, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    XDG_RUNTIME_DIR: folder,
    GRACEFUL_RUN_CONTROL_FOLDER: join(folder, 'graceful-run'),
  };
}

/** Runs a command line that stays; its events come as JSON on stderr. */
function start(script: string): EventLog {
  const child = spawn('bash', ['-ec', script], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const log = new EventLog();
  log.read(child.stderr);
  return log;
}

async function shell(script: string): Promise<string> {
  const { stdout } = await run('bash', ['-ec', script], { cwd: folder, env: environment(), timeout: 20_000 });
  return stdout;
}

test('every block of shell or JavaScript in the README is run by a test', () => {
  const blocks = readme.match(/^```(?:sh|js)$/gm) ?? [];
  const marked = readme.match(/^<!-- test: .* -->\n```(?:sh|js)$/gm) ?? [];
  expect(marked).toHaveLength(blocks.length);
});

test("the commands of the README's first screen", async () => {
  writeFileSync(
    join(folder, 'app.js'),
    `require('node:http').createServer((q, r) => r.end()).listen(${port});`,
  );
  const [install, command, reload] = example('first').trim().split('\n');
  expect(install).toBe('npm install -g graceful-run');
  const master = start(`exec ${String(command)}`);
  await master.waitFor('generationReady', { generation: 1 });
  await shell(String(reload));
  await master.waitFor('generationReady', { generation: 2 });
});

test('the start and the commands in the other terminal', async () => {
  const install = example('install').split('\n');
  expect(install.shift()).toBe('npm install --global graceful-run');
  const [line] = install.filter((one) => one.startsWith('graceful-run'));
  const master = start(install.filter((one) => one !== line).join('\n') + `\nexec ${String(line)}`);
  await master.waitFor('generationReady');
  const output = await shell(example('operate'));
  const pids = [...output.matchAll(/^pid (\d+)$/gm)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(2);
  expect(new Set(pids).size).toBe(2);
  for (const pid of pids) expect(isAlive(pid)).toBe(false);
  expect(output).toContain('serving');
});

test('a worker that is asked for its health and warmed up', async () => {
  writeFileSync(
    join(folder, 'app.js'),
    `require('node:http').createServer((q, r) => r.end(console.error(q.headers['user-agent']))).listen(${port});`,
  );
  const master = start(`exec ${example('health')}`);
  await master.waitFor('generationReady', { generation: 1 });
  expect(master.lines.filter((line) => line === 'graceful-run (health check)')).toHaveLength(1);
  expect(master.lines.filter((line) => line === 'graceful-run (warm-up)')).toHaveLength(50);
});

test('the check before a reload, while the master serves', async () => {
  writeFileSync(
    join(folder, 'app.js'),
    `require('node:http').createServer((q, r) => r.end()).listen(${port});`,
  );
  const master = start(`exec graceful-run --port ${port} -- node app.js`);
  await master.waitFor('generationReady', { generation: 1 });
  const output = await shell(example('check'));
  expect(output).toMatch(/: ready after .*\ncommand line: 1 program, nothing wrong\n/);
  await master.waitFor('generationReady', { generation: 2 });
});

test('many programs with a config file, and a change of it', async () => {
  const other = await freePort();
  const of = (name: string): string => example(name).replaceAll('10087', String(other));
  const ofProgram = (name: string) => (event: object) => Reflect.get(event, 'program') === name;
  const file = join(folder, 'graceful.toml');
  writeFileSync(file, of('config-file'));
  await shell(of('config-programs'));
  const master = start(`exec ${of('config-start')}`);
  await master.waitFor('generationReady', ofProgram('admin'));
  const [list, reload, dryRun, update] = of('config-operate').trim().split('\n');
  const table = await shell(String(list));
  expect(table).toMatch(/ shop +serving +1 +2\/2 /);
  expect(table).toMatch(/ admin +serving +1 +1\/1 /);
  await shell(String(reload));
  await master.waitFor('generationReady', { generation: 2 });
  writeFileSync(file, of('config-file').replace('workers = 2', 'workers = 3'));
  expect(await shell(String(dryRun))).toContain('~ shop: workers');
  expect(await shell(String(update))).toContain('shop: changed');
  expect(await shell(String(list))).toMatch(/ shop +serving +2 +\d\/3 /);
});

test('the deployment by a symlink', async () => {
  const app = (release: string): string =>
    `require('node:http').createServer((q, r) => r.end(${JSON.stringify(`{"release":"${release}"}`)})).listen(${port});`;
  for (const release of ['42', '43']) {
    mkdirSync(join(folder, 'srv/releases', release), { recursive: true });
    writeFileSync(join(folder, 'srv/releases', release, 'server.js'), app(release));
  }
  symlinkSync('releases/42', join(folder, 'srv/current'));
  const [first, second] = example('deploy').trim().split('\n');
  const master = start(`exec ${String(first)}`);
  await master.waitFor('generationReady', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('42');
  await shell(String(second));
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).release).toBe('43');
});

test('the control socket by curl', async () => {
  writeFileSync(
    join(folder, 'app.js'),
    `require('node:http').createServer((q, r) => r.end()).listen(${port});`,
  );
  const master = start(`exec graceful-run --port ${port} -- node app.js`);
  await master.waitFor('generationReady', { generation: 1 });
  const output = await shell(example('control').replace(/^curl /gm, 'curl --silent --fail '));
  expect(output).toContain('"phase":"serving"');
  await master.waitFor('generationReady', { generation: 2 });
});

test('the worker API', async () => {
  writeFileSync(join(folder, 'app.mjs'), example('worker-api'));
  const master = start(`exec graceful-run --port ${port} -- node app.mjs`);
  await master.waitFor('generationReady', { generation: 1 });
  await shell('gracefulctl reload --wait');
  await master.waitFor('workerExited', { generation: 1 });
  await master.waitForLine('drained: reload');
  // Alone, the same program binds by itself.
  await shell('gracefulctl stop --wait');
  const alone = spawn('node', ['app.mjs'], { cwd: folder, env: environment() });
  children.push(alone);
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}`).catch(() => null);
    if (answer !== null) break;
  }
  alone.kill('SIGTERM');
  expect(await once(alone, 'exit')).toEqual([0, null]);
});

test('WebSockets that move', async () => {
  symlinkSync(join(root, 'node_modules/ws'), join(folder, 'node_modules/ws'));
  writeFileSync(join(folder, 'app.mjs'), example('websockets'));
  const master = start(`exec graceful-run --port ${port} -- node app.mjs`);
  await master.waitFor('generationReady', { generation: 1 });
  const ws = new WebSocket(`ws://127.0.0.1:${port}/path`);
  await once(ws, 'open');
  const ask = async (): Promise<string> => {
    ws.send('');
    const [answer] = (await once(ws, 'message')) as [Buffer];
    return answer.toString();
  };
  expect(await ask()).toBe('1 from /path');
  await shell('gracefulctl reload --wait');
  await master.waitFor('workerExited', { generation: 1 });
  expect(await ask()).toBe('2 from /path');
  ws.terminate();
});

test('the embedding API', async () => {
  writeFileSync(
    join(folder, 'app.js'),
    `require('node:http').createServer((q, r) => r.end()).listen(${port});`,
  );
  writeFileSync(join(folder, 'master.mjs'), example('embedding'));
  const { stdout } = await run('node', ['master.mjs'], { cwd: folder, env: environment(), timeout: 20_000 });
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['generationReady', 'stopped']));
});
