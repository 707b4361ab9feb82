// UDP listeners of a program.
import { rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import dgram from 'node:dgram';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, sendPaced, whoAnswersDatagrams } from '../helpers/datagrams.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/plain-client.ts';
import { runCheck } from '../helpers/run-check.ts';
import { startHost } from '../helpers/run-host.ts';
import {
  app,
  runMaster,
  type RunningMaster,
  type RunOptions,
  temporaryFolder,
} from '../helpers/run-master.ts';

const python = ['python3', app('serves-udp')[1]?.replace(/\.cjs$/, '.py') ?? ''];

function run(
  listen: readonly string[] = ['udp:127.0.0.1:0'],
  { flags = [], ...options }: RunOptions = {},
): RunningMaster {
  return runMaster({
    command: app('serves-udp'),
    hasOwnFlags: false,
    name: 'app',
    ...options,
    flags: [
      ...listen.flatMap((address) => ['--listen', address]),
      ...['--name', 'app', '--log-level', 'debug', '--log-format', 'json'],
      ...(flags.includes('--probation') ? [] : ['--probation', '0s']),
      ...flags,
    ],
  });
}

async function isFree(port: number): Promise<void> {
  await eventually('the port is free', async () => {
    const probe = dgram.createSocket('udp4');
    probe.bind(port, '127.0.0.1');
    const isBound = await Promise.race([
      once(probe, 'listening').then(() => true),
      once(probe, 'error').then(() => false),
    ]).catch(() => false);
    probe.close();
    return isBound;
  });
}

function crash(port: number): void {
  const socket = dgram.createSocket('udp4');
  socket.send('crash', port, '127.0.0.1', () => socket.close());
}

test.each(['port', 'options', 'everywhere', 'fd'])(
  'dgram gets the listener, and keeps it in a reload: %s',
  async (how) => {
    const master = run(undefined, { env: { BIND: how } });
    const port = await master.serving();
    expect(port).toBeGreaterThan(0);
    expect(await master.waitFor('listenerBound')).toMatchObject({
      type: 'udp',
      host: '127.0.0.1',
      port,
      path: null,
    });
    expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
    await master.reload(2);
    expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 2 });
    expect((await master.status()).listeners).toEqual([
      { name: 'default', type: 'udp', host: '127.0.0.1', port, path: null, reusePort: false },
    ]);
    expect(master.all('undeclaredListen')).toEqual([]);
    expect(master.all('wideListen')).toEqual([]);
  },
);

test('over IPv6', async () => {
  const master = run(['udp:[::1]:0']);
  const port = await master.serving();
  expect(await whoAnswersDatagrams(port, '::1')).toMatchObject({ generation: 1 });
});

test.each([
  ['a Node.js worker, and a sender that never falls behind', app('serves-udp'), []],
  ['two Node.js workers', app('serves-udp'), ['--workers', '2']],
  ['a worker that answers later', app('serves-udp'), []],
  ['a Node.js worker with a probation', app('serves-udp'), ['--probation', '50ms']],
  ['a program in another language', python, ['--startsecs', '200ms']],
])(
  '12 reloads under up to 1,000 datagrams a second lose none and answer none twice: %s',
  async (what, command, flags) => {
    const keepsPace = what.includes('never falls behind');
    const master = run(undefined, {
      command,
      flags,
      env: {
        ...(what.includes('later') ? { DELAY_MS: '100' } : {}),
        // So that the datagrams of half a second fit in, if the machine is busy.
        ...(keepsPace ? { BUFFER: '1000000' } : {}),
      },
    });
    const port = await master.serving();
    const sender = await sendPaced(port, 1_000, { keepsPace });
    for (let generation = 2; generation <= 13; generation += 1) {
      await sender.moreAnswers(50);
      await master.reload(generation);
      await master.waitFor('workerExited', { generation: generation - 1 });
    }
    await sender.moreAnswers(50);
    const { sent, lost, repeated, generations, elapsedMs } = await sender.stop();
    expect({ lost, repeated }).toEqual({ lost: [], repeated: [] });
    expect(sent).toBeGreaterThanOrEqual(keepsPace ? 0.9 * elapsedMs : 13 * 50);
    for (let generation = 2; generation <= 13; generation += 1) expectNoGapBefore(master, generation);
    expect(generations.toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 13 }, (_, at) => at + 1),
    );
    expect(master.all('workerFailed')).toEqual([]);
  },
  60_000,
);

/** The workers of the generation were ready before any of the one before it stopped reading. */
function expectNoGapBefore(master: RunningMaster, generation: number): void {
  const ready = master.events.findIndex(
    (one) => one.event === 'generationReady' && one.generation === generation,
  );
  const stopped = master.events.findIndex(
    (one) =>
      ['workerAcceptsNoMore', 'workerDraining', 'workerExited'].includes(one.event) &&
      'generation' in one &&
      one.generation === generation - 1,
  );
  expect(ready).toBeGreaterThanOrEqual(0);
  expect(stopped).toBeGreaterThan(ready);
}

test('the old generation reads for as long as the new one boots, and the new one before the old one stops', async () => {
  const hold = join(temporaryFolder(), 'hold');
  const master = run(undefined, { flags: ['--probation', '1m'], env: { HOLD: hold } });
  const port = await master.serving();
  const sender = await sendPaced(port, 1_000);
  await sender.moreAnswers(50);
  writeFileSync(hold, '');
  master.signal('SIGHUP');
  await master.waitForLine('booting');
  // More than can wait for an answer at once, and than a receive buffer takes.
  await sender.moreAnswers(500);
  expect(master.all('generationReady')).toHaveLength(1);
  process.kill(await master.workerPid(2), 'SIGUSR2');
  await master.waitFor('generationReady', { generation: 2 });
  await master.waitFor('workerPaused', { generation: 1 });
  await sender.moreAnswers(500);
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 2 });
  expect(master.all('workerDraining')).toEqual([]);
  const { sent, lost, repeated, generations, elapsedMs, longestGapMs } = await sender.stop();
  expect({ lost, repeated, generations }).toEqual({ lost: [], repeated: [], generations: [1, 2] });
  expect(sent).toBeGreaterThanOrEqual(1_050);
  // Not faster than the pace: what is due and could not be sent is never made up for by more than the limit.
  expect(sent).toBeLessThanOrEqual(elapsedMs + 100);
  expect(longestGapMs).toBeLessThan(elapsedMs);
});

test('a candidate that fails reads no datagram', async () => {
  const flag = join(temporaryFolder(), 'fails');
  const [udp, http] = [await freePort(), await freePort()];
  const master = run([`udp:127.0.0.1:${udp}`, `127.0.0.1:${http}`], {
    env: { FAILS_IF: flag, UDP_PORTS: String(udp), UDP_HOST: '127.0.0.1', HTTP_PORT: String(http) },
  });
  await master.serving();
  writeFileSync(flag, '');
  const sender = await sendPaced(udp, 1_000);
  await sender.moreAnswers(50);
  master.signal('SIGHUP');
  await master.waitFor('generationFailed', { generation: 2 });
  await sender.moreAnswers(50);
  expect(await sender.stop()).toMatchObject({ lost: [], repeated: [], generations: [1] });
  rmSync(flag);
  await master.reload(3);
  expect(await whoAnswersDatagrams(udp)).toMatchObject({ generation: 3 });
});

test('a worker that crashes is replaced, and what is sent meanwhile waits for the next one', async () => {
  const master = run();
  const port = await master.serving();
  const { pid } = await whoAnswersDatagrams(port);
  crash(port);
  await master.waitFor('workerFailed', { pid });
  expect((await whoAnswersDatagrams(port)).pid).not.toBe(pid);
});

test('a drain waits for answers that are on their way, and sends them from the address of the listener', async () => {
  const master = run(undefined, { env: { DELAY_MS: '1000' } });
  const port = await master.serving();
  const pid = await master.workerPid(1);
  const answer = whoAnswersDatagrams(port);
  // This is answered at once, and was sent later: now the worker has read both.
  await ask(port, 'twice');
  await master.reload(2);
  expect(await answer).toMatchObject({ pid });
  expect(await master.waitFor('workerExited', { pid })).toMatchObject({ cut: 0 });
});

test('in probation the old worker reads nothing, and reads again if the new one crashes', async () => {
  const master = run(undefined, { flags: ['--probation', '1m'] });
  const port = await master.serving();
  const old = await whoAnswersDatagrams(port);
  await master.reload(2);
  for (let times = 0; times < 20; times += 1)
    expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 2 });
  crash(port);
  await master.waitFor('generationRolledBack', { generation: 2 });
  expect(await whoAnswersDatagrams(port)).toEqual(old);
});

test('a socket that the application closes is bound again with the same listener', async () => {
  const master = run(undefined, { flags: ['--workers', '1'] });
  const port = await master.serving();
  expect(await ask(port, 'rebind')).toBe('rebound');
  expect(await ask(port, 'rebind')).toBe('rebound');
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
  await master.reload(2);
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 2 });
});

test('what would change the socket for all workers is refused: connect(), and a second socket at the address', async () => {
  const master = run();
  const port = await master.serving();
  expect(await ask(port, 'connect')).toBe('ENOTSUP');
  await eventually('the worker says why', () => master.output.includes('cannot connect() a UDP socket'));
  expect(await ask(port, 'twice')).toBe('EADDRINUSE');
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
});

test('every generation can join a multicast group', async () => {
  const port = await freePort();
  const master = run([`udp:0.0.0.0:${port}`], { env: { BIND: 'group', UDP_HOST: '0.0.0.0' } });
  await master.serving();
  const client = dgram.createSocket('udp4');
  onTestFinished(() => void client.close());
  client.bind(0, '127.0.0.1');
  await once(client, 'listening');
  client.setMulticastInterface('127.0.0.1');
  for (const generation of [1, 2, 3]) {
    if (generation > 1) await master.reload(generation);
    client.send('who', port, '239.7.7.7');
    const [answer] = (await once(client, 'message')) as [Buffer];
    expect(JSON.parse(String(answer))).toMatchObject({ generation });
  }
});

test('an address in use is an error that names the process', async () => {
  const first = run();
  const port = await first.serving();
  const master = run([`udp:127.0.0.1:${port}`], { name: 'other' });
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(`cannot listen on udp:127.0.0.1:${port}`);
  expect(master.output).toContain(`by pid ${first.pid}`);
});

test('an update adds and removes UDP listeners, and the others stay', async () => {
  const [kept, added] = [await freePort(), await freePort()];
  const listening = (...ports: readonly number[]): readonly string[] => [
    '[program.app]',
    `command = ${JSON.stringify(app('serves-udp'))}`,
    `listen = ${JSON.stringify(ports.map((port) => `udp:127.0.0.1:${port}`))}`,
    `environment = { UDP_PORTS = "${ports.join()}", UDP_HOST = "127.0.0.1" }`,
    'probation = "0s"',
  ];
  const { master, write } = startHost(listening(kept).join('\n'));
  await master.waitFor('generationReady', { generation: 1 });
  const sender = await sendPaced(kept, 1_000);
  await sender.moreAnswers(50);
  write(listening(kept, added).join('\n'));
  await master.reload(2);
  expect(await whoAnswersDatagrams(added)).toMatchObject({ generation: 2 });
  write(listening(kept).join('\n'));
  await master.reload(3);
  await sender.moreAnswers(50);
  expect(await sender.stop()).toMatchObject({ lost: [], repeated: [], generations: [1, 2, 3] });
  await isFree(added);
});

test('a stop reads and answers what has arrived', async () => {
  const master = run();
  const port = await master.serving();
  const sender = await sendPaced(port, 200);
  await sender.moreAnswers(50);
  const result = sender.stop();
  master.signal('SIGTERM');
  expect(await result).toMatchObject({ lost: [], repeated: [] });
  expect(await master.exited).toMatchObject({ code: 0 });
  await isFree(port);
});

test.each([
  ['udp:5353', 'UDP needs an address'],
  ['udp::5353', 'UDP needs an address'],
])('says what is wrong with %s', async (address, problem) => {
  const master = run([address]);
  expect(await master.exited).toMatchObject({ code: 2 });
  expect(master.output).toContain(problem);
});

test('the workers of a killed master answer what they have read, and the next master takes the address', async () => {
  const runtime = temporaryFolder();
  const port = await freePort();
  const master = run([`udp:127.0.0.1:${port}`], { runtime, env: { DELAY_MS: '300' } });
  await master.serving();
  const pid = await master.workerPid(1);
  const answer = whoAnswersDatagrams(port);
  await ask(port, 'twice');
  master.signal('SIGKILL');
  const next = run([`udp:127.0.0.1:${port}`], { runtime });
  expect(await answer).toMatchObject({ pid });
  await next.serving();
  expect((await whoAnswersDatagrams(port)).pid).not.toBe(pid);
});

test('a socket of another family does not get the listener, and the hint says so', async () => {
  const port = await freePort();
  const master = run([`udp:[::]:${port}`], { env: { UDP_HOST: '0.0.0.0' } });
  expect(await master.exited).toMatchObject({ code: 1 });
  expect(master.output).toContain(`cannot bind a udp4 socket to udp:[::]:${port}`);
  expect(master.output).toContain(`graceful-run holds udp:[::]:${port} for one socket`);
});

test('--check tries a program without disturbing the one that serves', async () => {
  const master = run();
  const port = await master.serving();
  const args = ['--run', '--listen', `udp:127.0.0.1:${port}`, '--name', 'app', '--', ...app('serves-udp')];
  const { code, lines } = await runCheck(args, { runtime: master.runtime });
  expect({ code, lines }).toMatchObject({ code: 0 });
  expect(await whoAnswersDatagrams(port)).toMatchObject({ generation: 1 });
  const other = await runCheck(['--listen', `udp:127.0.0.1:${port}`, '--', ...app('serves-udp')]);
  expect(other.code).toBe(2);
  expect(other.lines.join('\n')).toContain(`by pid ${master.pid}`);
});
