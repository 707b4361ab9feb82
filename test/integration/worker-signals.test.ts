// Signals that reach a worker directly: from a process manager that signals the whole tree, a shell, an operator.
import { afterEach, describe, expect, it } from 'vitest';
import { MiniMaster, type MiniWorker } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGQUIT'] as const;

/** Resolves when the worker has done it. */
async function ask(worker: MiniWorker, message: Record<string, string>, mark: string): Promise<void> {
  worker.child.send({ ...message, then: mark });
  await worker.says(mark);
}

async function hold(worker: MiniWorker): Promise<Wire> {
  const wire = await Wire.connect(master.port);
  wire.get('/held');
  await worker.says('request /held');
  return wire;
}

/** It drains: the request in flight is finished, and the process ends. */
async function expectDrain(worker: MiniWorker, wire: Wire): Promise<void> {
  await worker.message('drains');
  await worker.message('acceptsNoMore');
  worker.child.send('release');
  await wire.until('held');
  expect(await wire.closed).toBe('end');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 1, cut: 0 });
}

describe('a signal from elsewhere', () => {
  it.each(signals)('%s makes a worker drain', async (signal) => {
    master = new MiniMaster();
    const worker = await master.serve('hears-signals.cjs');
    const wire = await hold(worker);
    process.kill(worker.pid, signal);
    await expectDrain(worker, wire);
  });

  it.each(['SIGINT', 'SIGHUP', 'SIGUSR2'] as const)(
    '%s is for the application alone while it listens, and makes it drain when it does so no more',
    async (signal) => {
      master = new MiniMaster();
      const worker = await master.serve('hears-signals.cjs');
      const wire = await hold(worker);
      await ask(worker, { on: signal }, 'added');
      process.kill(worker.pid, signal);
      await worker.says(`heard ${signal}`);
      expect(worker.messages.map(({ type }) => type)).not.toContain('drains');
      await ask(worker, { off: signal }, 'removed');
      process.kill(worker.pid, signal);
      await expectDrain(worker, wire);
    },
  );

  it.each(['SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGTERM'] as const)(
    '%s ends a worker that was not admitted, as without a master',
    async (signal) => {
      master = new MiniMaster();
      const worker = await master.start('hears-signals.cjs');
      // SIGTERM is heard as soon as the worker is ready.
      await (signal === 'SIGTERM' ? worker.says('listeners') : worker.message('ready'));
      process.kill(worker.pid, signal);
      const { code, signal: by } = await worker.exited;
      // SIGTERM may come when it was ready already.
      expect(by ?? code).toBe(signal === 'SIGTERM' && by === null ? 0 : signal);
    },
  );

  it('is not heard by a listener that the application could see', async () => {
    master = new MiniMaster();
    const worker = await master.serve('hears-signals.cjs');
    const wire = await hold(worker);
    worker.child.send('tell');
    await worker.says(/(?:listeners 00000 names \[\]\n[^]*){2}/);
    wire.socket.destroy();
  });

  it('is none when the application emits the event itself: only its own listeners hear that', async () => {
    master = new MiniMaster();
    const worker = await master.serve('hears-signals.cjs');
    const wire = await hold(worker);
    await ask(worker, { on: 'SIGTERM' }, 'added');
    await ask(worker, { emit: 'SIGTERM' }, 'emitted');
    expect(worker.output).toContain('heard SIGTERM');
    expect(worker.messages.map(({ type }) => type)).not.toContain('drains');
    await ask(worker, { off: 'SIGTERM' }, 'removed');
    process.kill(worker.pid, 'SIGTERM');
    await expectDrain(worker, wire);
  });
});
