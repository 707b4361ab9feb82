// A drain is reported with the same numbers everywhere: requests served, connections moved and connections cut.
import { expect, test } from 'vitest';
import { routes } from '../../src/shared/control-api.ts';
import { followControl } from '../../src/shared/control-client.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

/** Resolves when it follows; then to what the control socket tells, when the master has stopped. */
async function follow(master: RunningMaster): Promise<{ readonly whole: Promise<string> }> {
  let text = '';
  let ended: Promise<unknown> = Promise.resolve();
  const request = { path: master.controlSocket, method: 'GET', route: routes.events } as const;
  await new Promise<number>((follows) => {
    ended = followControl(request, (part) => (text += part) !== '', follows);
  });
  return { whole: ended.then(() => text) };
}

async function connect(port: number, count: number, request: string): Promise<readonly Wire[]> {
  const wires = await Promise.all(Array.from({ length: count }, () => Wire.connect(port)));
  await Promise.all(wires.map((wire) => wire.writeAll(request)));
  return wires;
}

test('a drain tells how many requests it finished, how many connections moved, and how many it cut', async () => {
  const master = runMaster({ flags: ['--drain-timeout', '4s'] });
  const port = await master.serving();
  const events = await follow(master);
  const hangs = await connect(port, 2, 'GET /held HTTP/1.1\r\n');
  const held = await connect(port, 3, 'GET /held HTTP/1.1\r\nHost: test\r\n\r\n');
  const idle = await connect(port, 4, 'GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await Promise.all([...held.map((wire) => wire.until('begun')), ...idle.map((wire) => wire.until('}'))]);
  await master.reload(2);
  await master.waitFor('workerAcceptsNoMore', { generation: 1 });
  const old = await master.workerPid(1);
  process.kill(old, 'SIGUSR2');
  await Promise.all(held.map((wire) => wire.until('ended')));
  for (const wire of hangs) wire.write('Host: test\r\n\r\n');
  await Promise.all(hangs.map((wire) => wire.until('begun')));
  const states = (await master.status()).workers.map(({ generation, state }) => ({ generation, state }));
  expect(states).toContainEqual({ generation: 1, state: 'draining' });
  const report = { pid: old, outcome: { code: 0, signal: null }, served: 7, migrated: 7, cut: 2 };
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject(report);
  await Promise.all(hangs.map(({ closed }) => closed));
  for (const { received } of hangs) expect(received).not.toContain('ended');
  expect((await master.status()).workers).toMatchObject([{ generation: 2, state: 'ready' }]);
  for (const { socket } of [...held, ...idle]) socket.destroy();
  master.signal('SIGTERM');
  const told = (await events.whole).trimEnd().split('\n');
  expect(told.map((line) => JSON.parse(line) as unknown)).toContainEqual(
    expect.objectContaining({ event: 'workerExited', generation: 1, ...report }),
  );
});
