// The examples of long-lived connections and of datagrams, behind the built command, through a reload.
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { io } from 'socket.io-client';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { ask } from '../helpers/datagrams.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get as getPage } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { Wire } from '../helpers/wire.ts';

function scriptOf(example: string): string {
  return new URL(`../../examples/${example}/server.js`, import.meta.url).pathname;
}

function run(example: string, env: NodeJS.ProcessEnv = {}): RunningMaster {
  return runMaster({ command: [process.execPath, scriptOf(example)], env, flags: ['--drain-timeout', '5s'] });
}

/** What comes piece by piece, and a way to wait for the one that fits. */
class Heard {
  text = '';
  #wake: () => void = () => undefined;

  add(text: string): void {
    this.text += text;
    this.#wake();
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

it('websocket: a chat goes on over the same connections', async () => {
  const master = run('websocket', { CHAT_LOG: join(temporaryFolder(), 'chat.log') });
  const port = await master.serving();
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toContain('<title>Chat</title>');
  const [ann, bob] = await Promise.all(
    ['ann', 'bob'].map(async (name) => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/?name=${name}`);
      const heard = new Heard();
      ws.on('message', (data: Buffer) => {
        heard.add(data.toString());
      });
      await once(ws, 'open');
      onTestFinished(() => {
        ws.terminate();
      });
      return { ws, heard };
    }),
  );
  if (ann === undefined || bob === undefined) throw new Error('nobody is there');
  ann.ws.send('hello');
  await Promise.all([ann, bob].map(({ heard }) => heard.until(/hello\n/)));
  await master.reload(2);
  bob.ws.send('still there?');
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ cut: 0 });
  ann.ws.send('yes');
  await Promise.all([ann, bob].map(({ heard }) => heard.until(/yes\n/)));
  for (const { heard } of [ann, bob]) expect(heard.text).toBe('ann: hello\nbob: still there?\nann: yes\n');
});

it.each(['websocket', 'polling'] as const)(
  'socket-io: a client over %s comes back and counts on',
  async (transport) => {
    const master = run('socket-io');
    let count = 0;
    const heard = new Heard();
    const socket = io(`http://127.0.0.1:${await master.serving()}`, {
      transports: [transport],
      auth: (answer) => {
        answer({ count });
      },
      reconnectionDelay: 1,
    });
    onTestFinished(() => {
      socket.close();
    });
    socket.on('count', (number: number, pid: number) => {
      expect(number).toBe(count + 1);
      count = number;
      heard.add(`${pid}\n`);
    });
    await heard.until(new RegExp(`^${await master.workerPid(1)}$`, 'm'));
    await master.reload(2);
    await heard.until(new RegExp(`^${await master.workerPid(2)}$`, 'm'));
    expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ cut: 0 });
  },
);

it('sse: streams end with a whole event, and go on at the new worker without a gap', async () => {
  const master = run('sse');
  const port = await master.serving();
  const heard = new Heard();
  const over = new AbortController();
  const isOver = (): boolean => over.signal.aborted;
  onTestFinished(() => {
    over.abort();
  });
  const follow = async (): Promise<void> => {
    // As an EventSource does, but for the pause in between.
    while (!isOver()) {
      const last = [...heard.text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? '0';
      const headers = { 'Last-Event-ID': last };
      const [response] = (await once(get({ port, host: '127.0.0.1', headers }), 'response')) as [
        IncomingMessage,
      ];
      for await (const chunk of response.setEncoding('utf8')) {
        heard.add(String(chunk));
        if (isOver()) break;
      }
    }
  };
  const following = follow();
  await heard.until(/id: 2\n/);
  await master.reload(2);
  await heard.until(new RegExp(`from ${await master.workerPid(2)}\n`));
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ cut: 0 });
  over.abort();
  await following;
  const events = heard.text.trim().split('\n\n');
  expect(events.filter((event) => !/^(retry: \d+|id: (\d+)\ndata: \2 from \d+)$/.test(event))).toEqual([]);
  const ids = events.flatMap((event) => /^id: (\d+)/.exec(event)?.[1] ?? []).map(Number);
  expect(ids).toEqual(ids.map((_id, at) => at + 1));
  expect(heard.text).toContain('retry: ');
});

it('line-protocol: a client counts on in the middle of a line, over the same connection, until a stop', async () => {
  const master = run('line-protocol');
  const wire = await Wire.connect(await master.serving());
  const [old, next] = [1, 2].map((number) => master.workerPid(number));
  await wire.writeAll('a\nb\xe4');
  await wire.until(`1 a, says pid ${await old}\n`);
  await master.reload(2);
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({ migrated: 1, cut: 0 });
  await wire.writeAll('c\n');
  await wire.until(`2 b\xe4c, says pid ${await next}\n`);
  master.signal('SIGTERM');
  expect(await wire.closed).toBe('end');
  expect(wire.received).toMatch(/\nbye\n$/);
});

it('udp: every datagram is answered', async () => {
  const own = { name: 'udp', hasOwnFlags: false, command: [process.execPath, scriptOf('udp')] };
  const master = runMaster({
    ...own,
    flags: ['--listen', 'udp:127.0.0.1:0', '--name', 'udp', '--log-level', 'debug', '--log-format', 'json'],
  });
  const port = await master.serving();
  expect(await ask(port, 'hello\n')).toBe(`HELLO, says pid ${await master.workerPid(1)}\n`);
  await master.reload(2);
  expect(await ask(port, 'hello\n')).toBe(`HELLO, says pid ${await master.workerPid(2)}\n`);
});

it('supervised: the programs of its graceful.toml run as they stand, through a reload of all', async () => {
  const folder = temporaryFolder();
  cpSync(new URL('../../examples/supervised', import.meta.url), folder, { recursive: true });
  const [web, stats] = [await freePort(), await freePort()];
  const file = join(folder, 'graceful.toml');
  const config = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    config.replace('port = 3000', `port = ${web}`).replace('port = 3001', `port = ${stats}`),
  );
  const flags = ['-c', file, '--log-level', 'debug', '--log-format', 'json'];
  const master = runMaster({ name: 'site', hasOwnFlags: false, flags, command: [] });
  const served = async (generation: number): Promise<void> => {
    for (const program of ['web', 'mails', 'stats'])
      await master.waitFor(
        'generationReady',
        (event) => event.generation === generation && Reflect.get(event, 'program') === program,
      );
  };
  await served(1);
  const post = async (mail: string): Promise<void> => {
    const { status } = await fetch(`http://127.0.0.1:${web}/mails`, { method: 'POST', body: mail });
    expect(status).toBe(202);
  };
  const sent = async (count: number): Promise<void> => {
    await eventually(`${count} mails are sent`, async () => {
      const { body } = await getPage(stats);
      return body === `waiting: 0, sent: ${count}\n`;
    });
  };
  await post('one');
  await sent(1);
  master.signal('SIGHUP');
  await served(2);
  await post('two');
  await sent(2);
  const { code } = await gracefulctl(['start', 'clean'], { XDG_RUNTIME_DIR: master.runtime });
  expect(code).toBe(0);
  expect(await master.waitFor('runEnded')).toMatchObject({ result: 'succeeded' });
  master.signal('SIGTERM');
  await master.exited;
  const lines = readFileSync(join(folder, 'logs/mails.log'), 'utf8');
  expect(lines).toMatch(/^\S+Z sent: one\n\S+Z sent: two\n$/);
  expect(existsSync(join(folder, 'logs/failures.log'))).toBe(false);
});
