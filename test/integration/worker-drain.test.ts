import { afterEach, describe, expect, it } from 'vitest';
import { MiniMaster } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

describe('a drain', () => {
  it('serves an idle connection once more and then says close, whatever timers are open', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    const client = await Wire.connect(master.port);
    client.get('/');
    await client.until(String(worker.pid));
    expect(client.received).not.toContain('Connection: close');
    worker.drain();
    await worker.message('acceptsNoMore');
    client.get('/again');
    await client.until('Connection: close');
    expect(await client.closed).toBe('end');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(worker.messages.at(-1)).toEqual({
      type: 'drained',
      pid: worker.pid,
      served: 2,
      migrated: 0,
      drained: 1,
      cut: 0,
      serverErrors: 0,
    });
  });

  it('leaves new connections in the queue for the next worker', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    const kept = await Wire.connect(master.port);
    kept.get('/');
    await kept.until(String(worker.pid));
    const next = await master.serve('serves.cjs');
    worker.drain();
    await worker.message('acceptsNoMore');
    kept.get('/');
    await kept.until('Connection: close');
    const clients = await Promise.all(Array.from({ length: 20 }, () => Wire.connect(master.port)));
    for (const client of clients) client.get('/');
    await Promise.all(clients.map((client) => client.until(String(next.pid))));
    for (const client of clients) client.socket.destroy();
    await worker.exited;
  });

  it('lets a request in flight finish, with close where its headers were not sent', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    const [held, stream] = await Promise.all([Wire.connect(master.port), Wire.connect(master.port)]);
    held.get('/held');
    stream.get('/stream');
    await Promise.all([worker.says('request /held'), stream.until('first')]);
    worker.drain();
    await worker.message('acceptsNoMore');
    worker.child.send('release');
    await held.until('Connection: close');
    await Promise.all([held.until('held'), stream.until('last')]);
    expect(await held.closed).toBe('end');
    stream.get('/');
    await stream.until('Connection: close');
    expect(await stream.closed).toBe('end');
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 3, cut: 0 });
  });

  it('answers every pipelined request, and says close with the last of them only', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    const client = await Wire.connect(master.port);
    client.get('/held');
    await worker.says('request /held');
    worker.drain();
    await worker.message('acceptsNoMore');
    client.get('/held');
    await worker.says(/(?:request \/held\n[^]*){2}/);
    worker.child.send('release');
    expect(await client.closed).toBe('end');
    expect(client.received.match(/HTTP\/1.1 200/g)).toHaveLength(2);
    expect(client.received.match(/Connection: close/g)).toHaveLength(1);
    expect(client.received.lastIndexOf('HTTP/1.1')).toBeLessThan(
      client.received.indexOf('Connection: close'),
    );
  });

  it('lets a request in flight open a server on a port that is not declared', async () => {
    master = new MiniMaster();
    const worker = await master.serve('tells-its-address.cjs');
    // The second one keeps the worker draining when the first one has its answer.
    const [client, idle] = await Promise.all([Wire.connect(master.port), Wire.connect(master.port)]);
    for (const one of [client, idle]) one.get('/');
    await Promise.all([client, idle].map((one) => one.until(`true ${master.port}`)));
    worker.drain();
    await worker.message('acceptsNoMore');
    client.get('/opens');
    await client.until('opened');
    const inner = await Wire.connect(Number(/port (\d+) opened/.exec(client.received)?.[1]));
    await inner.until('inner');
    expect(await inner.closed).toBe('end');
    idle.socket.destroy();
    expect((await worker.exited).code).toBe(0);
  });

  it('accepts what is in the queue first when the master stops', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    process.kill(worker.pid, 'SIGSTOP');
    const clients = await Promise.all(Array.from({ length: 20 }, () => Wire.connect(master.port)));
    for (const client of clients) client.get('/');
    worker.drain('stop');
    process.kill(worker.pid, 'SIGCONT');
    // Some may be answered in the moment before the signal is heard: without close, then it is the client that ends.
    await Promise.all(clients.map((client) => client.until(String(worker.pid))));
    for (const { socket } of clients) socket.end();
    expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual(clients.map(() => 'end'));
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 20, cut: 0 });
  });

  it('cuts and counts what is left at the deadline', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    const [idle, held, stream] = await Promise.all([1, 2, 3].map(() => Wire.connect(master.port)));
    idle?.get('/');
    held?.get('/held');
    stream?.get('/stream');
    await Promise.all([
      idle?.until(String(worker.pid)),
      worker.says('request /held'),
      stream?.until('first'),
    ]);
    worker.drain('reload', 50);
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', served: 1, cut: 3 });
  });

  it('cuts at once when the master sends SIGTERM, but not a response that ends in time', async () => {
    master = new MiniMaster();
    const worker = await master.serve('serves.cjs');
    const held = await Wire.connect(master.port);
    held.get('/held');
    await worker.says('request /held');
    worker.drain('reload', 60_000);
    await worker.message('acceptsNoMore');
    process.kill(worker.pid, 'SIGQUIT');
    process.kill(worker.pid, 'SIGTERM');
    worker.child.send('release');
    await held.until('held');
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 0 });
  });

  it('knows why though the signal has overtaken the word', async () => {
    master = new MiniMaster();
    const worker = await master.serve('has-hooks.mjs');
    process.kill(worker.pid, 'SIGQUIT');
    // It has heard the signal by the time it has answered.
    const client = await Wire.connect(master.port);
    client.get('/');
    await client.until('HTTP/1.1');
    client.socket.destroy();
    worker.drain('scaleDown');
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toContain('one scaleDown');
  });

  it('runs the hooks in order, reports one that throws, and aborts the signal', async () => {
    master = new MiniMaster();
    const worker = await master.serve('has-hooks.mjs');
    worker.drain('scaleDown');
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toMatch(/aborted\none scaleDown true\none done\n[^]*three\n/);
    expect(worker.output).toContain('two is broken');
  });

  it('runs the hooks that close things when nobody is connected any more, the first ones at once', async () => {
    master = new MiniMaster();
    const worker = await master.serve('closes-its-database.mjs');
    const client = await Wire.connect(master.port);
    client.get('/');
    await client.until('from the database');
    worker.drain();
    await worker.says('first');
    client.get('/again');
    expect(await client.closed).toBe('end');
    expect(client.received).not.toContain('too late');
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toMatch(/serving\nasked\nfirst\nasked\nclosed\n/);
  });

  it('still runs the hooks that close things when the deadline has cut the last connection', async () => {
    master = new MiniMaster();
    const worker = await master.serve('closes-its-database.mjs');
    const client = await Wire.connect(master.port);
    client.get('/');
    await client.until('from the database');
    worker.drain('reload', 50);
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toContain('closed');
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 1 });
    client.socket.destroy();
  });

  it('does not wait for a hook beyond the deadline', async () => {
    master = new MiniMaster();
    const worker = await master.serve('has-hooks.mjs', { env: { ENDLESS: '1' } });
    worker.drain('reload', 100);
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toContain('three');
    expect(worker.messages).toContainEqual({ type: 'cleanUpCut', pid: worker.pid, what: 'drain hooks' });
  });

  it.each(['SIGTERM', 'SIGQUIT'])("calls the application's own %s handler, once, at the end", async (own) => {
    master = new MiniMaster();
    const signals = own === 'SIGTERM' ? 'SIGTERM SIGQUIT' : 'SIGQUIT';
    const worker = await master.serve('has-signal-handlers.cjs', { env: { SIGNALS: signals } });
    const [slow, idle] = [await Wire.connect(master.port), await Wire.connect(master.port)];
    idle.get('/');
    await idle.until('ok');
    slow.get('/slow');
    await worker.says('slow');
    worker.drain();
    await worker.message('acceptsNoMore');
    idle.get('/');
    await idle.until('Connection: close');
    expect(worker.output).not.toContain('own');
    worker.child.send('answer');
    await slow.until('slow ok');
    expect((await worker.exited).code).toBe(3);
    expect(worker.output).toBe(`slow\nown ${own}\nclosed undefined\n`);
    expect(worker.messages.at(-1)).toMatchObject({ type: 'drained', cut: 0 });
    for (const { socket } of [slow, idle]) socket.destroy();
  });

  it('assumes a signal and the timeout of the environment when nobody says more', async () => {
    master = new MiniMaster();
    const worker = await master.serve('has-hooks.mjs', { drainTimeoutMs: 9_000 });
    process.kill(worker.pid, 'SIGQUIT');
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toContain('one signal true');
  });

  it('goes before it was admitted, without having accepted anything', async () => {
    master = new MiniMaster();
    const worker = await master.start('serves.cjs');
    await worker.message('ready');
    const client = await Wire.connect(master.port);
    client.get('/');
    worker.drain('stop');
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).not.toContain('request');
    client.socket.destroy();
  });
});
