// The example of docs/readiness.md, as it is written there: only the ports are others.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { splitWords } from '../../src/master/launch/split-words.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';

const section =
  read('readiness')
    .split(/^## /m)
    .find((text) => text.startsWith('An example of exec')) ?? '';
const [server = '', script = '', lines = ''] = [...section.matchAll(/```\w+\n([^]*?)```/g)].map(
  ([, text]) => text,
);

function read(page: string): string {
  return readFileSync(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');
}

test('docs/programs.md shows the same script', () => {
  expect(script).toContain('# is-healthy\n');
  expect(read('programs')).toContain(script);
});

test.skipIf(!canRun(['python3', 'curl']))(
  'with the example of exec, a healthy release takes over, and one that is not healthy is rolled back',
  async () => {
    const [port, health] = [await freePort(), await freeHealthPorts()];
    const placed = (text: string): string =>
      text.replaceAll('8000', String(port)).replaceAll('9000', String(health));
    const cwd = temporaryFolder();
    const write = (name: string, text: string): void => {
      writeFileSync(join(cwd, name), placed(text));
    };
    write('server.py', server);
    write('is-healthy', script);
    const [last = '', ...setup] = lines.trim().split('\n').toReversed();
    for (const line of setup) execFileSync('sh', ['-c', line], { cwd });
    const words = splitWords(placed(last)).slice(1);
    const dashes = words.indexOf('--');
    const log = ['--log-level', 'debug', '--log-format', 'json'];
    const master = runMaster({
      cwd,
      hasOwnFlags: false,
      flags: [...log, '--ready-timeout', '4s', ...words.slice(0, dashes)],
      command: words.slice(dashes + 1),
    });
    await master.serving();
    await master.reload(2);
    expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
      from: 'draining',
      outcome: { code: 0 },
    });
    write('server.py', server.replace(/(class Health[^]*?send_response\()200/, '$1503'));
    master.signal('SIGHUP');
    const { failure } = await master.waitFor('generationFailed', { generation: 3 });
    expect(failure.reason).toBe('notReady');
    expect(section).toContain('`./is-healthy exited with code 22`');
    expect(failure.message).toContain('./is-healthy exited with code 22');
    await master.waitFor('workerExited', { generation: 3 });
    expect(await get(port)).toEqual({ status: 200, body: 'hello\n' });
  },
  30_000,
);

/** What 9000 becomes, so that three generations find their ports free. It is less than any port that the kernel chooses. */
async function freeHealthPorts(): Promise<number> {
  for (let first = 10_000 + (process.pid % 200) * 100; ; first += 100) {
    const free = await Promise.all([10, 20, 30].map((offset) => isFree(first + offset)));
    if (free.every(Boolean)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = net.createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}
