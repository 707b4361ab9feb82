// {fd}, {port} and {host} in a command and in its variables, as a worker gets them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';

/** Has braces of its own, which stay as they are. */
const tells = `const answer = JSON.stringify({ args: process.argv.slice(1), env: process.env });
  require('http').createServer((_, response) => { response.end(answer) }).listen(process.env.PORT, '127.0.0.1')`;

interface Told {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

async function toldAt(port: number): Promise<Told> {
  return JSON.parse((await get(port)).body) as Told;
}

test('a command is told where its listener is, and of nothing by LISTEN_FDS', async () => {
  const args = ['fd://{fd}', '{host}:{port}={fd:default}', '{{fd}}', '${fd}', '{"a":{"b":{port}}}'];
  const master = runMaster({ command: [process.execPath, '-e', tells, ...args] });
  const port = await master.serving();
  const { args: told, env } = await toldAt(port);
  expect(told).toEqual(['fd://3', `127.0.0.1:${port}=3`, '{fd}', '${fd}', `{"a":{"b":${port}}}`]);
  expect(env['SERVER_STARTER_PORT']).toBe(`127.0.0.1:${port}=3`);
  expect(Object.keys(env).filter((name) => name.startsWith('LISTEN_'))).toEqual([]);
});

test('a config file has them in commands and variables, beside its own', async () => {
  const folder = temporaryFolder();
  const program = {
    command: [process.execPath, '-e', tells, '{name}', '{fd}'],
    port: 0,
    host: '127.0.0.1',
    environment: { FPM_SOCKETS: '{host}:{port}={fd}', SECRET: '${SECRET}', TEXT: '{{port}}' },
  };
  writeFileSync(join(folder, 'g.json'), JSON.stringify({ program: { shop: program } }));
  const flags = ['--config', join(folder, 'g.json'), '--log-level', 'debug', '--log-format', 'json'];
  const master = runMaster({ hasOwnFlags: false, flags, command: [], name: 'g', env: { SECRET: '{port}' } });
  const port = await master.serving();
  const { args, env } = await toldAt(port);
  expect(args).toEqual(['shop', '3']);
  expect(env).toMatchObject({ FPM_SOCKETS: `127.0.0.1:${port}=3`, SECRET: '{port}', TEXT: '{port}' });
});

test('a placeholder that stands for nothing is refused before anything starts', async () => {
  const master = runMaster({ command: [process.execPath, '-e', tells, '{fd:admin}'] });
  await master.waitForLine('{fd:admin} names no listener of this program');
  expect(await master.exited).toMatchObject({ code: 2 });
});
