// The release of a program that is not Node.js is not ready in time: whatever shows that it is ready, the reload fails, and the old workers serve.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { get } from '../helpers/plain-client.ts';
import { appPath, runMaster, temporaryFolder } from '../helpers/run-master.ts';

const program = (...words: readonly string[]): readonly string[] => [
  'python3',
  appPath('gives-a-sign').replace(/cjs$/, 'py'),
  ...words,
];

interface Health {
  readonly server: Server;
  readonly port: number;
  isHealthy: boolean;
}

async function startHealth(): Promise<Health> {
  const server = createServer((_, response) => {
    response.writeHead(health.isHealthy ? 200 : 503).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const health = { server, port: typeof address === 'object' ? (address?.port ?? 0) : 0, isHealthy: true };
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return health;
}

interface Way {
  readonly ready: string;
  /** What its program does to be ready. */
  readonly does: readonly string[];
  /** Of what is in the message. */
  readonly named: string;
  /** Makes the health server of the test fail as well. */
  readonly fails?: (health: Health) => void;
}

test.each<Way>([
  { ready: 'auto', does: ['notify'], named: 'READY=1' },
  { ready: 'notify', does: ['notify'], named: 'READY=1' },
  { ready: 'message', does: ['message'], named: "'ready'" },
  { ready: 'fd:7', does: ['fd:7'], named: 'descriptor 7' },
  { ready: 'exec:test ! -e "$FAILS"', does: ['none'], named: 'test ! -e "$FAILS" exited with code 1' },
  // A program that runs for that long is ready: only its end keeps it from that.
  { ready: 'delay:2s', does: ['none', 'exits'], named: 'exited with code 1' },
  { ready: 'tcp:PORT', does: ['none'], named: '127.0.0.1:PORT', fails: ({ server }) => server.close() },
  {
    ready: 'http://127.0.0.1:PORT/up',
    does: ['none'],
    named: 'http://127.0.0.1:PORT/up answered 503',
    fails: (health) => {
      health.isHealthy = false;
    },
  },
])('with --ready $ready, a release that is not ready fails with what it said', async (way) => {
  const health = await startHealth();
  const placed = (text: string): string => text.replace('PORT', String(health.port));
  const flag = join(temporaryFolder(), 'fails');
  const master = runMaster({
    command: program(...way.does),
    flags: ['--ready', placed(way.ready), '--ready-timeout', way.ready.startsWith('delay:') ? '20s' : '2s'],
    env: { FAILS: flag },
  });
  const port = await master.serving();
  const before = (await get(port)).body;
  writeFileSync(flag, '');
  way.fails?.(health);
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure.message).toContain(placed(way.named));
  // Two datagrams, in this order: neither hides the other, and no probe hides them.
  expect(failure.message).toContain('no database (error 111)');
  const isEnd = way.does.includes('exits');
  expect(failure.reason).toBe(isEnd ? 'exited' : 'notReady');
  await master.waitFor(isEnd ? 'workerFailed' : 'workerExited', { generation: 2 });
  expect((await get(port)).body).toBe(before);
});

test.each(['tcp:1', 'exec:false', 'fd:7', 'message'])(
  'with --ready %s, READY=1 does not make a program ready',
  async (ready) => {
    const master = runMaster({
      command: program('notify'),
      flags: ['--ready', ready, '--ready-timeout', '1s'],
      env: { FAILS: '/nonexistent' },
    });
    expect((await master.waitFor('generationFailed')).failure.reason).toBe('notReady');
  },
);

test.each(['listen', 'http:/up'])(
  '--ready %s is not offered to other programs: the error says so at the ready timeout, and the old workers serve',
  async (ready) => {
    const folder = temporaryFolder();
    const script = join(folder, 'serve');
    const write = (command: readonly string[]): void => {
      writeFileSync(`${script}.new`, `#!/bin/sh\nLISTEN_PID=$$ exec ${command.join(' ')}\n`, { mode: 0o755 });
      renameSync(`${script}.new`, script);
    };
    write([process.execPath, appPath('serves')]);
    const master = runMaster({
      command: [script],
      flags: ['--ready', ready, '--ready-timeout', '2s'],
    });
    const port = await master.serving();
    write(['sleep', '60']);
    master.signal('SIGHUP');
    // Not earlier: a process of it may still become Node.js.
    const { failure } = await master.waitFor('generationFailed', { generation: 2 });
    expect(failure.reason).toBe('notReady');
    expect(failure.message).toContain('only for Node.js');
    expect(failure.hint).toContain('--ready');
    await master.waitFor('workerExited', { generation: 2 });
    expect((await get(port)).status).toBe(200);
  },
);
