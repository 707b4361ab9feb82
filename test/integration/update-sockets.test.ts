// What an update changes of sockets that stay: the queue, options, permissions and owner.
import { once } from 'node:events';
import { chmodSync, lstatSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { appPath, runMaster, temporaryFolder, type RunningMaster } from '../helpers/run-master.ts';
import { isRoot, mayRun } from '../helpers/required-programs.ts';

const python = appPath('tells-socket-options').replace(/\.cjs$/, '.py');

interface Setup {
  readonly folder: string;
  readonly path: string;
  readonly write: (...programs: readonly string[]) => void;
  readonly start: () => Promise<RunningMaster>;
  readonly update: (master: RunningMaster) => ReturnType<typeof gracefulctl>;
}

function setUp(): Setup {
  const folder = temporaryFolder();
  const path = join(folder, 'app.sock');
  return {
    folder,
    path,
    write(...programs) {
      writeFileSync(
        join(folder, 'graceful.toml'),
        `[master]\nname = "app"\n[defaults]\nprobation = "0s"\n${programs.join('\n')}`,
      );
    },
    async start() {
      const master = runMaster({
        hasOwnFlags: false,
        flags: ['-c', 'graceful.toml', '--log-format', 'json'],
        command: [],
        cwd: folder,
        name: 'app',
      });
      await master.waitFor('generationReady', { generation: 1 });
      return master;
    },
    update: async (master) => gracefulctl(['update'], { XDG_RUNTIME_DIR: master.runtime }),
  };
}

function atPath(name: string, path: string, keys = ''): string {
  const node = JSON.stringify(['node', appPath('serves-at-path')]);
  return `[program.${name}]\ncommand = ${node}\nlisten = ["unix:${path}"]\nenvironment = { APP_SOCKET = "${path}" }\n${keys}`;
}

/** A port on which this process listens until the test has ended. */
async function takenPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o777).toString(8);
}

test('an update that is refused leaves the queue, the options and the permissions of every socket as they were', async () => {
  const { path, write, start, update } = setUp();
  const [port, mailPort] = [await freePort(), await freePort()];
  const shop = (keys: string): string =>
    `[program.shop]\ncommand = ["python3", "${python}"]\nlisten = ["127.0.0.1:${port}"]\nstartsecs = "0s"\n${keys}`;
  const mail = (listen: string, keys: string): string =>
    `[program.mail]\ncommand = ["python3", "${python}"]\nlisten = [${listen}]\nstartsecs = "0s"\n${keys}`;
  write(
    shop('backlog = 50\nkeepalive = "30s"'),
    mail(`"127.0.0.1:${mailPort}"`, 'backlog = 51'),
    atPath('web', path, 'socket_mode = "0600"'),
  );
  const master = await start();
  await eventually('every program serves', () => master.all('generationReady').length === 3);
  // One of them moves to a new program, and one is beside an address that is in use.
  write(
    atPath('web', path, 'socket_mode = "0666"'),
    mail(`"127.0.0.1:${mailPort}", "127.0.0.1:${await takenPort()}"`, 'backlog = 61'),
    shop('backlog = 60\ndefer_accept = "1s"').replace('program.shop', 'program.store'),
  );
  expect(await update(master)).toMatchObject({ code: 2 });
  expect(modeOf(path)).toBe('600');
  const { listeners } = JSON.parse((await get(port)).body) as {
    listeners: readonly { readonly keepAlive: readonly number[] }[];
  };
  expect(listeners).toMatchObject([{ backlog: 50, deferAccept: 0 }]);
  expect(listeners[0]?.keepAlive.slice(0, 2)).toEqual([1, 30]);
  const other = JSON.parse((await get(mailPort)).body) as { listeners: unknown };
  expect(other).toMatchObject({ listeners: [{ backlog: 51 }] });
});

test('an address that an update cannot bind is reported at the place in the file where it is written', async () => {
  const { write, start, update } = setUp();
  const taken = await Promise.all([takenPort(), takenPort()]);
  const program = (name: string, address: string): string =>
    `[program.${name}]\ncommand = ["python3", "${python}"]\nstartsecs = "0s"\n${address}`;
  const [port, other] = [await freePort(), await freePort()];
  write(program('shop', `port = ${port}`));
  const master = await start();
  // The first program begins at line 5. One is changed, the others are added.
  write(
    program('mail', `listen = ["127.0.0.1:${other}",\n  "127.0.0.1:${taken[0]}"]`),
    program('shop', `host = "127.0.0.1"\nport = ${taken[1]}`),
    program('"a.b"', 'listen = ["unix:/no-such-folder/a.sock"]'),
  );
  const { code, err } = await update(master);
  const places = [...err.matchAll(/^\S*graceful\.toml:(\S+: \S+): cannot listen on/gm)];
  expect(places.map(([, place]) => place)).toEqual([
    '9:3: program.mail.listen[1]',
    '14:8: program.shop.port',
    '18:11: program."a.b".listen[0]',
  ]);
  expect(code).toBe(2);
});

test('a UNIX socket has the permissions of the program that it moves to, and those of the umask when none are asked for', async () => {
  const { folder, path, write, start, update } = setUp();
  write(atPath('web', path, 'socket_mode = "0666"'));
  const master = await start();
  write(atPath('shop', path, 'socket_mode = "0640"'));
  expect(await update(master)).toMatchObject({ code: 0 });
  expect(modeOf(path)).toBe('640');
  // What the operator has changed by hand stays until the plan says something else.
  chmodSync(path, 0o600);
  write(atPath('shop', path, 'socket_mode = "0640"\nbacklog = 9'));
  expect(await update(master)).toMatchObject({ code: 0 });
  expect(modeOf(path)).toBe('600');
  write(atPath('shop', path));
  expect(await update(master)).toMatchObject({ code: 0 });
  const other = net.createServer().listen(join(folder, 'other.sock'));
  await once(other, 'listening');
  expect(modeOf(path)).toBe(modeOf(join(folder, 'other.sock')));
  other.close();
});

test.runIf(mayRun(isRoot))('an update changes the owner of a UNIX socket, and gives it back', async () => {
  const { path, write, start, update } = setUp();
  const owner = (): readonly number[] => [lstatSync(path).uid, lstatSync(path).gid];
  write(atPath('web', path));
  const master = await start();
  const own = owner();
  write(atPath('web', path, 'socket_owner = "4242:4343"'));
  expect(await update(master)).toMatchObject({ code: 0 });
  expect(owner()).toEqual([4242, 4343]);
  write(atPath('web', path, 'socket_owner = "no-such-user-here"'));
  const { code, err } = await update(master);
  expect(code).toBe(2);
  expect(err).toContain(
    `graceful.toml:7:11: program.web.listen[0]: cannot listen on unix:${path}: there is no user no-such-user-here`,
  );
  expect(owner()).toEqual([4242, 4343]);
  write(atPath('web', path, 'socket_owner = ":4344"'));
  expect(await update(master)).toMatchObject({ code: 0 });
  expect(owner()).toEqual([own[0], 4344]);
  write(atPath('web', path));
  expect(await update(master)).toMatchObject({ code: 0 });
  expect(owner()).toEqual(own);
});

test.each([['removed'], ['replaced']])(
  'an update does not touch what lies at the path of a socket whose file was %s',
  async (how) => {
    const { path, write, start, update } = setUp();
    write(atPath('web', path, 'socket_mode = "0600"'));
    const master = await start();
    rmSync(path);
    if (how === 'replaced') writeFileSync(path, 'of another program', { mode: 0o640 });
    write(atPath('web', path, 'socket_mode = "0666"'));
    const { code, err } = await update(master);
    expect(code).toBe(2);
    expect(err).toContain('another process has removed or replaced its file');
    if (how === 'replaced') expect(modeOf(path)).toBe('640');
  },
);
