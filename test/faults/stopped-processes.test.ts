// A process that is stopped (SIGSTOP) in the middle of a reload: what it was to take is served by somebody else, or waits for it.
import { describe, expect, it, onTestFinished } from 'vitest';
import { pauseProcess } from '../helpers/pause-process.ts';
import { app, runMaster, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

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

/** To generation 2, until that has told the old worker that it takes what is offered to it. */
async function reloadUntilItGreets(master: RunningMaster): Promise<void> {
  master.signal('SIGHUP');
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitForLine('greets 2');
  // It has heard of it in the middle of the master's turn: an answer comes after that.
  await master.status();
}

async function tollOf(master: RunningMaster, generation: number, slot = 0): Promise<object> {
  const { outcome, migrated, cut } = await master.waitFor('workerExited', { generation, slot });
  return { code: outcome.code, migrated, cut };
}

describe('a master that is stopped', () => {
  it('between two introductions leaves a worker with one destination, which gets everything', async () => {
    const master = runMaster({ command: app('adopts'), flags: ['--workers', '2'] });
    const port = await master.serving();
    const [source, other] = [await master.workerPid(1, 0), await master.workerPid(1, 1)];
    await pauseProcess(other);
    const wires = await connectAll(port, 20);
    await Promise.all(wires.map(ask));
    // It does not say that it has got the first destination, so the second one waits in the master.
    await pauseProcess(source);
    await reloadUntilItGreets(master);
    await pauseProcess(master.pid);
    process.kill(source, 'SIGCONT');
    await Promise.all(
      wires.map(async (wire) => {
        while (!(await ask(wire)).includes('"generation":2'));
      }),
    );
    const pids = (await Promise.all(wires.map(ask))).map((text) => /"pid":(\d+)/.exec(text)?.[1]);
    expect(new Set(pids).size).toBe(1);
    process.kill(master.pid, 'SIGCONT');
    process.kill(other, 'SIGCONT');
    expect(await tollOf(master, 1, 0)).toEqual({ code: 0, migrated: 20, cut: 0 });
    expect(await tollOf(master, 1, 1)).toEqual({ code: 0, migrated: 0, cut: 0 });
    expect(wires.filter(({ socket }) => socket.destroyed || socket.readableEnded)).toEqual([]);
  });
});

it('a destination that is stopped until the time of the old worker is over has what was offered to it all the same', async () => {
  const master = runMaster({ command: app('adopts'), flags: ['--drain-timeout', '2s'] });
  const wires = await connectAll(await master.serving(), 20);
  await Promise.all(wires.map(ask));
  const old = await master.workerPid(1);
  await pauseProcess(old);
  await reloadUntilItGreets(master);
  await pauseProcess(await master.workerPid(2));
  process.kill(old, 'SIGCONT');
  const { outcome } = await master.waitFor('workerExited', { generation: 1 });
  expect(outcome).toEqual({ code: 0, signal: null });
  process.kill(await master.workerPid(2), 'SIGCONT');
  for (const answer of await Promise.all(wires.map(ask))) expect(answer).toContain('"generation":2');
});

describe('many connections of an own protocol', () => {
  const command = [process.execPath, app('gives-away')[1]?.replace('.cjs', '.mjs') ?? ''];
  const count = 1_000;
  /** So many are offered at a time. */
  const window = 64;

  async function echo(wire: Wire, text = 'hello'): Promise<string> {
    wire.received = '';
    wire.write(`${text}\n`);
    await wire.until('\n');
    return wire.received;
  }

  /** Generation 1 wants to give all of them to generation 2, which is stopped. */
  async function offer(): Promise<{ readonly master: RunningMaster; readonly wires: readonly Wire[] }> {
    const master = runMaster({ command });
    const wires = await connectAll(await master.serving(), count);
    await Promise.all(wires.map((wire, at) => echo(wire, at % 10 === 9 ? 'short' : 'hello')));
    const old = await master.workerPid(1);
    await pauseProcess(old);
    await reloadUntilItGreets(master);
    await pauseProcess(await master.workerPid(2));
    process.kill(old, 'SIGCONT');
    await master.waitForLine(`giving ${count}`);
    return { master, wires };
  }

  it('wait for a destination that is stopped a few at a time, and all of them move when it goes on', async () => {
    const { master, wires } = await offer();
    const served: string[] = [];
    const answers = wires.map(async (wire) => {
      served.push(await echo(wire));
      if (served.length === count - window) process.kill(await master.workerPid(2), 'SIGCONT');
    });
    await Promise.all(answers);
    expect(new Set(served.slice(0, count - window))).toEqual(new Set(['1 hello\n']));
    expect(await tollOf(master, 1)).toEqual({ code: 0, migrated: count, cut: 0 });
    expect(new Set(await Promise.all(wires.map((wire) => echo(wire))))).toEqual(new Set(['2 hello\n']));
  });

  it('are served where they are when that destination is killed, and move to the one that replaces it', async () => {
    const { master, wires } = await offer();
    const answers = wires.map((wire) => echo(wire));
    process.kill(await master.workerPid(2), 'SIGKILL');
    await Promise.all(answers);
    expect(await tollOf(master, 1)).toEqual({ code: 0, migrated: count, cut: 0 });
    expect(new Set(await Promise.all(wires.map((wire) => echo(wire))))).toEqual(new Set(['2 hello\n']));
  });

  it('move when what goes with them fills the pipe to a destination that is stopped in between', async () => {
    const master = runMaster({ command, env: { STATE_BYTES: '60000' } });
    const wires = await connectAll(await master.serving(), 200);
    await Promise.all(wires.map((wire) => echo(wire)));
    await reloadUntilItGreets(master);
    await pauseProcess(await master.workerPid(2));
    // Offers that it holds are answered with 60 kB each; the pipe takes three of them.
    const answers = wires.map((wire) => echo(wire));
    process.kill(await master.workerPid(2), 'SIGCONT');
    await Promise.all(answers);
    expect(await tollOf(master, 1)).toEqual({ code: 0, migrated: 200, cut: 0 });
    expect(new Set(await Promise.all(wires.map((wire) => echo(wire))))).toEqual(new Set(['2 hello\n']));
  });

  it('go on when some of them end while they wait', async () => {
    const { master, wires } = await offer();
    process.kill(await master.workerPid(1), 'SIGUSR2');
    await master.waitForLine(`ended ${count / 10}`);
    const answers = wires.filter((_, at) => at % 10 !== 9).map((wire) => echo(wire));
    process.kill(await master.workerPid(2), 'SIGCONT');
    await Promise.all(answers);
    expect(await tollOf(master, 1)).toEqual({ code: 0, migrated: count - count / 10, cut: 0 });
  });
});
