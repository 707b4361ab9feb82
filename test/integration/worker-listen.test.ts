import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MiniMaster, testNode } from '../helpers/mini-master.ts';
import { Wire } from '../helpers/wire.ts';

let master: MiniMaster;
afterEach(async () => {
  await master.close();
});

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return response.text();
}

function jsonAfter(output: string, word: string): unknown {
  return JSON.parse(new RegExp(`^${word} (.*)$`, 'm').exec(output)?.[1] ?? 'null');
}

describe('an unmodified application', () => {
  it.each([
    ['CommonJS', 'serves.cjs', [], /^\d+$/],
    ['an ES module', 'serves-esm.mjs', [], /^esm$/],
    ['TypeScript run by tsx', 'serves-typescript.ts', ['--import', 'tsx'], /^typescript$/],
  ])('serves from the inherited listener: %s', async (_, script, flags, answer) => {
    master = new MiniMaster();
    const path = new URL(`../fixtures/worker/${script}`, import.meta.url).pathname;
    await master.serve(null, { command: [testNode, ...flags, path] });
    expect(await textOf(master.url)).toMatch(answer);
  });

  it('accepts nothing before it is admitted, so that killing it cuts nobody', async () => {
    master = new MiniMaster();
    const first = await master.start('serves.cjs');
    await first.message('ready');
    const client = await Wire.connect(master.port);
    client.get('/');
    // It answers signals and messages all the while: one round trip shows that its loop has turned.
    first.child.send('release');
    await first.kill();
    expect(first.output).not.toContain('request');

    const second = await master.serve('serves.cjs');
    await client.until(String(second.pid));
    client.socket.destroy();
  });

  it('stays alive while it waits to be admitted', async () => {
    master = new MiniMaster();
    const worker = await master.start('serves-esm.mjs');
    await worker.message('ready');
    worker.admit();
    expect(await textOf(master.url)).toBe('esm');
  });

  it('serves behind a shell that waits for it', async () => {
    master = new MiniMaster();
    const path = new URL('../fixtures/worker/serves.cjs', import.meta.url).pathname;
    const worker = await master.serve(null, { command: ['sh', '-c', `'${testNode}' '${path}'; echo done`] });
    expect(worker.pid).not.toBe(worker.child.pid);
    expect(await textOf(master.url)).toBe(String(worker.pid));
    worker.drain();
    expect((await worker.exited).code).toBe(0);
    expect(worker.output).toContain('done');
  });

  it('serves behind `npm start`, with what runs before it', async () => {
    master = new MiniMaster();
    const cwd = new URL('../fixtures/worker/npm-app', import.meta.url).pathname;
    const worker = await master.serve(null, { command: ['npm', 'start'], cwd });
    expect(worker.pid).not.toBe(worker.child.pid);
    expect(worker.output).toContain('built');
    expect(await textOf(master.url)).toBe(String(worker.pid));
    // The worker sends this when it has served for a moment. On a slow machine, that is before the drain begins, so the test waits for it on any.
    await worker.message('adopts');
    worker.drain();
    expect((await worker.exited).code).toBe(0);
    expect(worker.messages.map(({ type }) => type)).toEqual([
      'ready',
      'admitted',
      'adopts',
      'acceptsNoMore',
      'drained',
    ]);
  });

  it('has descendants that know nothing of it', async () => {
    master = new MiniMaster();
    const worker = await master.serve('descends.cjs', { env: { NODE_OPTIONS: '--no-warnings' } });
    for (const who of ['forked', 'spawned', 'thread']) {
      await worker.says(new RegExp(`^${who} .*$`, 'm'));
      expect(jsonAfter(worker.output, who)).toEqual({
        options: '--no-warnings',
        runtime: false,
        // A thread shares the process, and with it net.Server of its own: nothing is patched there either.
        code: 'EADDRINUSE',
      });
    }
    expect(jsonAfter(worker.output, 'own')).toEqual({ options: '--no-warnings', listenPid: true });
  });
});

describe('listen()', () => {
  it.each(
    [
      'port portText portCallback portHost portWildcard portLocalhost portBacklog portHostBacklog portUndefined'.split(
        ' ',
      ),
      'options optionsText urlParts signal fd'.split(' '),
    ].flat(),
  )('behaves as documented in the form %s', async (form) => {
    master = new MiniMaster();
    const worker = await master.serve('listens-in-every-form.cjs', { env: { FORM: form } });
    await worker.says(/^result .*$/m);
    const events = ['port', 'portText'].includes(form) ? ['event'] : ['event', 'callback'];
    expect(jsonAfter(worker.output, 'result')).toEqual({
      same: true,
      listening: true,
      port: master.port,
      events,
    });
    (await Wire.connect(master.port)).socket.destroy();
    if (form !== 'signal') return;
    worker.child.send('abort');
    await worker.says(/^now .*$/m);
    expect(jsonAfter(worker.output, 'now')).toMatchObject({ listening: false, events: [...events, 'close'] });
  });

  it('throws and emits what Node.js throws and emits', async () => {
    master = new MiniMaster();
    // Without a network, the look-up of the name that the URL is taken for ends soon.
    const worker = await master.serve('listens-wrongly.cjs', {
      env: { RES_OPTIONS: 'timeout:1 attempts:1' },
    });
    await worker.says(/^result .*$/m);
    expect(jsonAfter(worker.output, 'result')).toMatchObject({
      thrown: [
        'ERR_SOCKET_BAD_PORT',
        'ERR_SOCKET_BAD_PORT',
        'ERR_INVALID_ARG_VALUE',
        'ERR_INVALID_ARG_VALUE',
        'ERR_INVALID_ARG_TYPE',
      ],
      again: 'ERR_SERVER_ALREADY_LISTEN',
      error: { code: 'EADDRINUSE', syscall: 'listen', port: master.port },
      ofUrl: { syscall: 'getaddrinfo', hostname: `127.0.0.1:${master.port}` },
    });
  });

  it('gets another copy of the listener after close()', async () => {
    master = new MiniMaster();
    const worker = await master.serve('listens-again.cjs');
    for (let times = 2; times < 4; times += 1) {
      worker.child.send('again');
      await worker.says(new RegExp(`(?:^listening\\n[^]*){${times}}`, 'm'));
      expect(await textOf(master.url)).toBe('again');
    }
    expect(worker.output).toContain('before false');
    expect(worker.messages.filter(({ type }) => type === 'listenerWanted')).toHaveLength(2);
    expect(worker.messages.filter(({ type }) => type === 'ready')).toHaveLength(1);
  });

  it('is called off by close() while the listener is still to come', async () => {
    master = new MiniMaster();
    const worker = await master.serve('listens-again.cjs');
    worker.child.send('cancel');
    await worker.says('cancelled ERR_SERVER_NOT_RUNNING');
    worker.child.send('again');
    await worker.says(/(?:^listening\n[^]*){2}/m);
    expect(await textOf(master.url)).toBe('again');
  });

  it('succeeds for two addresses of one listener, and not for the same address twice', async () => {
    master = new MiniMaster();
    const worker = await master.serve('two-hosts.cjs');
    await worker.says(/^result .*$/m);
    const { port } = master;
    expect(jsonAfter(worker.output, 'result')).toEqual([
      { address: '127.0.0.1', family: 'IPv4', port },
      { address: '::1', family: 'IPv6', port },
      'EADDRINUSE',
    ]);
  });

  it.each(['127.0.0.1', '::'])(
    'serves fastify on its default address from a listener on %s',
    async (host) => {
      master = new MiniMaster({ host });
      const worker = await master.serve('fastify-default.mjs');
      await worker.says('addresses');
      expect(await textOf(master.url)).toBe('fastify');
      worker.drain();
      expect((await worker.exited).code).toBe(0);
    },
  );

  it('warns once for each address that was not declared, and passes it through', async () => {
    master = new MiniMaster();
    const folder = mkdtempSync(join(tmpdir(), 'graceful-run-test-'));
    const path = join(folder, 'socket');
    const worker = await master.serve('listens-undeclared.cjs', { env: { SOCKET_PATH: path } });
    await worker.says(/undeclared \d+/);
    const port = /undeclared (\d+)/.exec(worker.output)?.[1] ?? '';
    const { pid } = worker;
    expect(worker.messages.filter(({ type }) => type === 'undeclaredListen')).toEqual([
      { type: 'undeclaredListen', pid, address: `127.0.0.1:${port}` },
      { type: 'undeclaredListen', pid, address: path },
    ]);
    (await Wire.connect(Number(port))).socket.destroy();
    rmSync(folder, { recursive: true });
  });
});
