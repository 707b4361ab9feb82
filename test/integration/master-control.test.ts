// The control socket of a running master: its place, its name, and going without.
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { routes } from '../../src/shared/control-api.ts';
import { askControl } from '../../src/shared/control-client.ts';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { runMaster, temporaryFolder } from '../helpers/run-master.ts';

test('the control socket is open to its owner alone, and tells what runs', async () => {
  const master = runMaster();
  const port = await master.serving();
  expect((await master.waitFor('masterStarted')).control).toBe(master.controlSocket);
  expect(statSync(master.controlSocket).mode & 0o777).toBe(0o600);
  expect(await master.status()).toMatchObject({
    program: master.name,
    phase: 'serving',
    generation: 1,
    master: { pid: master.pid },
    listeners: [{ host: '127.0.0.1', port }],
    workers: [{ generation: 1, slot: 0, pid: await master.workerPid(1), state: 'ready' }],
    lastReload: { ok: true, generation: 1 },
  });
});

test('--no-control goes without a control socket', async () => {
  const master = runMaster({ flags: ['--no-control'] });
  const port = await master.serving();
  expect((await master.waitFor('masterStarted')).control).toBe(null);
  expect(existsSync(master.controlSocket)).toBe(false);
  await master.reload(2);
  expect((await get(port)).status).toBe(200);
});

test('a second master of the same name ends with 1, and the first one goes on', async () => {
  const runtime = temporaryFolder();
  const first = runMaster({ runtime, name: 'web' });
  const port = await first.serving();
  const second = runMaster({ runtime, name: 'web', through: ['sh', '-c', 'exec "$@"', 'sh'] });
  await second.closed;
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(second.lines.join(' ')).toContain(String(first.pid));
  expect(second.events).toEqual([]);
  expect((await first.status()).master.pid).toBe(first.pid);
  expect((await get(port)).status).toBe(200);
});

test('without a name a master is named after its port', async () => {
  const runtime = temporaryFolder();
  const master = runMaster({
    runtime,
    hasOwnFlags: false,
    flags: ['--port', '0', '--host', '127.0.0.1', '--log-format', 'json'],
  });
  const port = await master.serving();
  expect((await master.waitFor('masterStarted')).control).toBe(
    master.controlSocket.replace(master.name, String(port)),
  );
});

test('when a reload is answered, the next request goes to the new generation, every time', async () => {
  const master = runMaster();
  const port = await master.serving();
  for (let generation = 2; generation <= 11; generation += 1) {
    const answer = await askControl({
      path: master.controlSocket,
      method: 'POST',
      route: routes.reload,
      body: { wait: true },
    });
    expect(answer).toMatchObject({ answer: { status: 200 } });
    expect((await whoAnswers(port)).generation).toBe(generation);
  }
});

test('a control socket whose folder is removed is back by itself, and the log says so', async () => {
  const master = runMaster();
  await master.serving();
  rmSync(join(master.runtime, 'graceful-run'), { recursive: true });
  expect(await master.waitFor('controlSocketChanged')).toMatchObject({
    change: 'restored',
    control: master.controlSocket,
  });
  expect((await master.status()).master.pid).toBe(master.pid);
});

test('a control socket that is gone is there again when a reload by SIGHUP has ended', async () => {
  const master = runMaster();
  await master.serving();
  rmSync(join(master.runtime, 'graceful-run'), { recursive: true });
  await master.reload(2);
  expect((await master.status()).generation).toBe(2);
});

test('a folder of control sockets that belongs to another kind of file is passed over, with a warning', async () => {
  const runtime = temporaryFolder();
  writeFileSync(join(runtime, 'graceful-run'), '');
  const temporary = temporaryFolder();
  const master = runMaster({ runtime, env: { TMPDIR: temporary, XDG_RUNTIME_DIR: runtime } });
  await master.serving();
  const { change, control, problem } = await master.waitFor('controlSocketChanged');
  expect(change).toBe('elsewhere');
  expect((await master.waitFor('masterStarted')).control).toBe(control);
  expect(problem).toContain(join(runtime, 'graceful-run'));
  master.signal('SIGTERM');
  expect(await master.exited).toEqual({ code: 0, signal: null });
  rmSync(join(runtime, 'graceful-run'));
});
