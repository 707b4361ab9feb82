// Queue workers and programs that run once: they have no address, and nothing of graceful-run in them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, get } from '../helpers/plain-client.ts';
import { of, startHost } from '../helpers/run-host.ts';
import { appPath } from '../helpers/run-master.ts';

/** Says when it begins and ends in the file `log`; it ends at SIGTERM, after its work. */
function job(name: string, more = ''): string {
  const script = `echo "${name} begins $1" >> log; trap 'echo "${name} ends" >> log; exit 0' TERM; while :; do sleep 0.05; done`;
  return `[program.${name}]
type = "worker"
command = ["sh", "-c", '''${script}''', "sh", "{num}"]
startsecs = "100ms"
${more}
`;
}

test('a reload starts the new workers before the old ones stop, which finish what they do', async () => {
  const { master, log, ctl } = startHost(job('mails', 'workers = 2'));
  await master.waitFor('generationReady');
  expect([...log()].sort()).toEqual(['mails begins 0', 'mails begins 1']);
  expect(await ctl('reload', '--wait=drained', 'mails')).toMatchObject({ code: 0 });
  expect(
    log()
      .slice(2, 4)
      .every((line) => line.startsWith('mails begins')),
  ).toBe(true);
  expect(log().slice(4)).toEqual(['mails ends', 'mails ends']);
  expect(JSON.parse((await ctl('status', '--json')).out)).toMatchObject({
    state: 'RUNNING',
    listeners: [],
  });
});

test('without overlap a reload, an update and a stop end the old worker first', async () => {
  const { master, log, write, ctl } = startHost(job('mails', 'overlap = false'));
  await master.waitFor('generationReady', { generation: 1 });
  expect(await ctl('reload', '--wait', 'mails')).toMatchObject({ code: 0 });
  expect(log()).toEqual(['mails begins 0', 'mails ends', 'mails begins 0']);
  write(job('mails', 'overlap = false\nenvironment = { A = "1" }'));
  expect(await ctl('update')).toMatchObject({ code: 0 });
  expect(log().slice(3)).toEqual(['mails ends', 'mails begins 0']);
  master.signal('SIGHUP');
  await master.waitFor('generationReady', { generation: 4 });
  expect(log().slice(5)).toEqual(['mails ends', 'mails begins 0']);
});

test('a Node.js worker runs as it would without graceful-run, with the variables of Supervisor', async () => {
  const { master, folder } = startHost(`
[program.mails]
type = "worker"
startsecs = "100ms"
command = ["${process.execPath}", "-e", '''
  const own = Object.keys(process.env).filter((name) => /^(LISTEN_|EINHORN|SERVER_STARTER|NODE_OPTIONS)/.test(name));
  require('fs').writeFileSync('seen', JSON.stringify([own, process.env.SUPERVISOR_PROCESS_NAME, process.env.GRACEFUL_RUN_WORKER]));
  setInterval(() => {}, 1000);
''']
`);
  await master.waitFor('generationReady');
  const seen = join(folder, 'seen');
  await eventually('it has looked', () => existsSync(seen) && readFileSync(seen, 'utf8').endsWith(']'));
  expect(JSON.parse(readFileSync(seen, 'utf8'))).toEqual([[], 'mails', '0']);
});

test('a worker that ends as expected has exited, one that crashes is started again', async () => {
  const { master, ctl } = startHost(`
[program.done]
type = "worker"
command = ["sh", "-c", "sleep 0.3"]
startsecs = "50ms"
[program.crashes]
type = "worker"
command = ["sh", "-c", "sleep 0.3; exit 1"]
startsecs = "50ms"
`);
  await master.waitFor('stopped', of('done'));
  await master.waitFor('restartScheduled', of('crashes'));
  const states = (await ctl('status', '--json')).out.trim().split('\n');
  expect(states.map((line) => JSON.parse(line) as { state: string })).toMatchObject([
    { program: 'done', state: 'EXITED', exit: { code: 0, isExpected: true } },
    { program: 'crashes' },
  ]);
});

test('what depends on a program that runs once is started when that has ended well, and not before', async () => {
  const port = await freePort();
  const { master, folder, log, ctl } = startHost(`
[program.migrate]
type = "oneshot"
command = ["sh", "-c", "sleep 0.3; echo migrated >> log; test -e good"]
[program.web]
command = ["sh", "-c", '''echo web >> log; exec ${process.execPath} ${appPath('serves')}''']
host = "127.0.0.1"
port = ${port}
depends_on = ["migrate"]
`);
  expect(await master.waitFor('startWaits', of('web'))).toMatchObject({ oneshots: ['migrate'] });
  expect(await master.waitFor('generationReady', of('migrate'))).toMatchObject({ isOneshot: true });
  expect(await master.waitFor('stopped', of('migrate'))).toMatchObject({ isOneshot: true });
  await expect(get(port)).rejects.toThrow('ECONNREFUSED');
  expect(JSON.parse((await ctl('status', '--json', 'migrate')).out)).toMatchObject({
    state: 'EXITED',
    exit: { code: 1, isExpected: false },
  });
  writeFileSync(join(folder, 'good'), '');
  expect(await ctl('start', '--wait', 'migrate')).toMatchObject({ code: 0 });
  expect(await master.waitFor('generationReady', of('web'))).not.toHaveProperty('isOneshot');
  expect(log()).toEqual(['migrated', 'migrated', 'web']);
  // It is not run again for those that depend on it.
  expect(await ctl('stop', '--wait', 'web')).toMatchObject({ code: 0 });
  expect(await ctl('start', '--wait', 'web')).toMatchObject({ code: 0 });
  expect(log()).toEqual(['migrated', 'migrated', 'web', 'web']);
});

test('what runs once and ends at once has done its work, each time', async () => {
  const { master, log, ctl } = startHost(
    `[program.quick]\ntype = "oneshot"\nautostart = false\ncommand = ["sh", "-c", "echo ran >> log"]\n`,
  );
  await master.waitFor('masterStarted');
  for (let times = 1; times <= 10; times += 1) {
    expect(await ctl('start', '--wait', 'quick')).toMatchObject({ code: 0 });
    expect(log()).toHaveLength(times);
  }
  expect(master.all('workerFailed')).toEqual([]);
});

test('programs start by priority, and stop in the reverse order, one after the other', async () => {
  const { master, log, ctl } = startHost(
    [job('c', 'priority = 30'), job('a', 'priority = 10'), job('b', 'priority = 20')].join('\n'),
  );
  for (const name of ['a', 'b', 'c']) await master.waitFor('generationReady', of(name));
  const started = master.all('generationStarted').map((event) => Reflect.get(event, 'program') as unknown);
  expect(started).toEqual(['a', 'b', 'c']);
  expect(await ctl('shutdown', '--wait')).toMatchObject({ code: 0 });
  expect(log().slice(3)).toEqual(['c ends', 'b ends', 'a ends']);
});

test.each([
  ['port = 3000', 'does not fit'],
  ['ready = "listen"', 'does not fit'],
])('a worker with %s is refused', async (line, text) => {
  const { master } = startHost(job('mails', line));
  expect(await master.exited).toMatchObject({ code: 2 });
  expect(master.output).toContain(text);
});

test('a shell that runs one job after the other is one worker, of which a stop and a reload wait for the job that runs', async () => {
  // Most of the time perl runs, a program; sometimes only the shell and `sleep` do.
  const script = `while :; do perl -e '$SIG{{TERM} = sub {{ $told = 1 }; open(L, ">>", "log"); L->autoflush; print L "job begins\\n"; select(undef, undef, undef, 0.1) for 1 .. 4; print L "job ends\\n"'; sleep 1.5; done`;
  const { master, log, ctl } = startHost(`[program.mails]
type = "worker"
command = ["sh", "-c", '''${script}''']
startsecs = "100ms"
`);
  await master.waitFor('generationReady');
  await eventually('the second job has begun', () => log().length === 3);
  expect(master.all('workerLostProgram')).toEqual([]);
  expect(await ctl('reload', '--wait=drained', 'mails')).toMatchObject({ code: 0 });
  await eventually('the job of the new worker has begun', () => log().length === 5);
  expect(await ctl('stop', '--wait', 'mails')).toMatchObject({ code: 0 });
  // Those of both workers overlap: each that has begun has ended.
  expect(log().filter((line) => line === 'job begins')).toHaveLength(3);
  expect(log().filter((line) => line === 'job ends')).toHaveLength(3);
  expect(master.all('workerExited').map(({ from }) => from)).toEqual(['draining', 'draining']);
});
