// Servers that are not started by `node` itself, behind the built command.
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { fixture, fixtures, node } from './fixture.ts';
import { get } from '../helpers/plain-client.ts';
import { runMaster } from '../helpers/run-master.ts';
import { expectNoFailure } from './reload-under-load.ts';

test('a server behind npm start reloads under load without a failure', async () => {
  await expectNoFailure({ command: ['npm', 'start'], cwd: fixture('npm-start') });
});

test('a server behind a shell reloads under load without a failure', async () => {
  await expectNoFailure({ command: ['sh', '-c', 'node http.cjs'], cwd: fixtures });
});

test('a server behind npm start and a wrapper of the project reloads under load without a failure', async () => {
  await expectNoFailure({ command: ['npm', 'run', '--silent', 'wrapped'], cwd: fixture('wrappers') });
});

// It starts the server with a channel of its own, so that ours is not `process.channel`.
test('a server behind tsx as the command reloads under load without a failure', async () => {
  const tsx = new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url).pathname;
  await expectNoFailure({ command: [process.execPath, tsx, 'http.ts'], cwd: fixtures });
});

test('a watcher that outlives its server does not hold up a stop, or keep the port when its master is killed', async () => {
  const tsx = new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url).pathname;
  const options = {
    command: [process.execPath, tsx, 'watch', 'http.ts'],
    cwd: fixtures,
    flags: ['--drain-timeout', '20s'],
  };
  const stopped = runMaster(options);
  await stopped.serving();
  stopped.signal('SIGTERM');
  expect(await stopped.waitFor('workerExited')).toMatchObject({ from: 'draining', cut: 0 });
  expect(await stopped.exited).toMatchObject({ code: 0 });

  const killed = runMaster(options);
  await killed.serving();
  killed.signal('SIGKILL');
  await killed.workersGone(15_000);
});

test('a watcher behind a shell that has more to do ends with its server, and the shell does the rest', async () => {
  const tsx = new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url).pathname;
  const script = '"$@"; echo "the shell ends" >&2; exit 0';
  const master = runMaster({
    command: ['sh', '-c', script, 'sh', process.execPath, tsx, 'watch', 'http.ts'],
    cwd: fixtures,
    flags: ['--drain-timeout', '60s'],
  });
  await master.serving();
  await master.reload(2);
  await master.waitForLine('the shell ends');
  // Far from the drain timeout.
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    from: 'draining',
    outcome: { code: 0 },
    cut: 0,
  });
});

test('a server that a wrapper forks listens again after it has closed, and talks to the wrapper', async () => {
  const master = runMaster({ command: node('wrappers/forks.cjs'), cwd: fixture('wrappers') });
  const port = await master.serving();
  expect(await get(port)).toMatchObject({ body: 'answered by the wrapper' });
  expect(await get(port, '/again')).toMatchObject({ status: 200 });
  await master.waitForLine('listens again');
  expect(await get(port)).toMatchObject({ body: 'answered by the wrapper' });
});

test('a server behind two wrappers, the first of which is the command, serves', async () => {
  const command = node('wrappers/waits-for.cjs');
  const master = runMaster({
    command: [...command, ...command, process.execPath, 'serves.cjs'],
    cwd: fixture('wrappers'),
  });
  expect(await get(await master.serving())).toMatchObject({ body: 'generation 1' });
});

/** Programs that start another one as the first process of a PID namespace, or as its second one. */
const namespaces: Readonly<Record<string, readonly string[]>> = {
  unshare: ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc'],
  'unshare within unshare': [
    ...['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc'],
    ...['unshare', '--pid', '--fork', '--mount-proc'],
  ],
  bubblewrap: ['bwrap', '--dev-bind', '/', '/', '--unshare-user', '--unshare-pid', '--proc', '/proc'],
};

/** Not every machine has it, or lets it do this. */
function canRun([file = '', ...args]: readonly string[]): boolean {
  return spawnSync(file, [...args, 'true']).status === 0;
}

for (const [name, wrapper] of Object.entries(namespaces))
  test.skipIf(!canRun(wrapper))(
    `a server in a PID namespace of its own (${name}) gets its drain signal there, and cuts nothing`,
    async () => {
      const master = runMaster({ command: [...wrapper, ...node('wrappers/answers-slowly.cjs')] });
      const slow = get(await master.serving(), '/slow');
      await master.waitForLine('slow begins');
      await master.reload(2);
      expect(await slow).toMatchObject({ status: 200, body: 'slow' });
      expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
        from: 'draining',
        outcome: { code: 0 },
      });
      expect(master.all('messageRejected')).toEqual([]);
    },
  );

const closing: Readonly<Record<string, readonly string[]>> = {
  python3: ['python3', '-c', 'import subprocess; subprocess.call(["node", "serves.cjs"])'],
  'node --watch': [process.execPath, '--watch', 'serves.cjs'],
};

test.each(Object.entries(closing))(
  'a server whose wrapper closes the listener fails at once, and the error names %s',
  async (name, command) => {
    const master = runMaster({ command, cwd: fixture('wrappers') });
    const { failure, durationMs } = await master.waitFor('generationFailed');
    expect(failure.hint).toContain('closed the file descriptor of the listener');
    await master.waitForLine(`${name} (pid `);
    // Far from the ready timeout.
    expect(durationMs).toBeLessThan(20_000);
    expect(await master.exited).toMatchObject({ code: 1 });
  },
);

// Its processes have no preload and close idle connections as Node.js does, so no more than this is promised.
test('a server with a cluster of its own finishes what is in flight', async () => {
  const master = runMaster({ command: node('cluster.cjs') });
  const slow = get(await master.serving(), '/slow');
  await master.waitForLine('slow begins');
  await master.reload(2);
  expect(await slow).toMatchObject({ status: 200, body: 'slow' });
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ outcome: { code: 0 } });
});
