// A process that is stopped (SIGSTOP) in the middle of a reload: what it was to take is served by somebody else, or waits for it.
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, kill, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

/** Resolves when the process runs no more until SIGCONT, which it gets when the test ends at the latest. */
async function stop(pid: number): Promise<void> {
  onTestFinished(() => {
    kill(pid, 'SIGCONT');
  });
  process.kill(pid, 'SIGSTOP');
  await eventually('stopped', () => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') T '));
}

async function connectAll(port: number, count: number): Promise<readonly Wire[]> {
  const wires = await Promise.all(Array.from({ length: count }, () => Wire.connect(port)));
  onTestFinished(() => {
    for (const { socket } of wires) socket.destroy();
  });
  return wires;
}

async function ask(wire: Wire): Promise<string> {
  wire.received = '';
  wire.get('/');
  await wire.until('}');
  return wire.received;
}

async function tollOf(master: RunningMaster, generation: number, slot = 0): Promise<object> {
  const { outcome, migrated, cut } = await master.waitFor('workerExited', { generation, slot });
  return { code: outcome.code, migrated, cut };
}

describe('a master that is stopped', () => {
  it('between two introductions leaves a worker with one successor, which gets everything', async () => {
    const master = runMaster({ flags: ['--workers', '2'] });
    const port = await master.serving();
    const [giver, other] = [await master.workerPid(1, 0), await master.workerPid(1, 1)];
    await stop(other);
    const wires = await connectAll(port, 20);
    await Promise.all(wires.map(ask));
    // It does not say that it has got the first successor, so the second one waits in the master.
    await stop(giver);
    await master.reload(2);
    await stop(master.pid);
    process.kill(giver, 'SIGCONT');
    await Promise.all(
      wires.map(async (wire) => {
        while (!(await ask(wire)).includes('"generation":2'));
      }),
    );
    const pids = (await Promise.all(wires.map(ask))).map((text) => /"pid":(\d+)/.exec(text)?.[1]);
    expect(new Set(pids)).toEqual(new Set([String(await master.workerPid(2, 0))]));
    process.kill(master.pid, 'SIGCONT');
    process.kill(other, 'SIGCONT');
    expect(await tollOf(master, 1, 0)).toEqual({ code: 0, migrated: 20, cut: 0 });
    expect(await tollOf(master, 1, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
    expect(wires.filter(({ socket }) => socket.destroyed || socket.readableEnded)).toEqual([]);
  });
});

it('a successor that is stopped until the time of the old worker is over has what was offered to it all the same', async () => {
  const master = runMaster({ command: app('adopts'), flags: ['--drain-timeout', '2s'] });
  const wires = await connectAll(await master.serving(), 20);
  await Promise.all(wires.map(ask));
  const old = await master.workerPid(1);
  await stop(old);
  await master.reload(2);
  await stop(await master.workerPid(2));
  process.kill(old, 'SIGCONT');
  const { outcome } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: 0, signal: null });
  process.kill(await master.workerPid(2), 'SIGCONT');
  for (const answer of await Promise.all(wires.map(ask))) expect(answer).toContain('"generation":2');
});
