// What an application sends over the channel to its master is not to be trusted.
import { expect, test } from 'vitest';
import { get, whoAnswers } from '../helpers/plain-client.ts';
import { app, runMaster } from '../helpers/run-master.ts';

test('messages that make no sense are rejected, and change nothing', async () => {
  const master = runMaster({ command: app('sends-junk') });
  const port = await master.serving();
  await master.waitForLine('sent');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await get(port)).status).toBe(200);
  const problems = master.all('messageRejected', { generation: 1 });
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.every(({ problem }) => problem.length < 1_000)).toBe(true);
  expect(master.all('workerFailed')).toEqual([]);
});

test('a worker that claims the pid of another process does not get it signalled', async () => {
  const script = `
    process.send({ gracefulRun: 1, message: { type: 'ready', pid: process.ppid } });
    require(${JSON.stringify(app('serves')[1])}).server.listen(process.env.PORT);`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  const port = await master.serving();
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(master.all('stopRequested')).toEqual([]);
  expect((await whoAnswers(port)).generation).toBe(2);
});

test('a worker that claims another pid once it serves does not get that signalled either', async () => {
  const script = `
    const { server } = require(${JSON.stringify(app('serves')[1])});
    server.listen(process.env.PORT, () => setImmediate(() => {
      process.send({ gracefulRun: 1, message: { type: 'ready', pid: process.ppid } }, () => console.error('claimed'));
    }));`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  const port = await master.serving();
  await master.waitForLine('claimed');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect(master.all('stopRequested')).toEqual([]);
  expect((await whoAnswers(port)).generation).toBe(2);
});

test('an application that hangs up on its master serves on, and drains when a reload wants it to', async () => {
  const master = runMaster({ command: app('disconnects') });
  const port = await master.serving();
  await get(port, '/hang-up');
  await master.waitForLine('hung up');
  expect((await whoAnswers(port)).generation).toBe(1);
  await master.reload(2);
  const exited = await master.waitFor('workerExited', { generation: 1 });
  expect(exited).toMatchObject({ from: 'draining', outcome: { code: 0, signal: null } });
});

test('an application that hangs up before it was admitted serves nevertheless', async () => {
  const master = runMaster({ command: app('disconnects'), env: { AT: 'start' } });
  const port = await master.serving();
  expect((await whoAnswers(port)).generation).toBe(1);
});

test('bytes that are no message, and a line without end, do not touch the master', async () => {
  const script = `
    const fs = require('node:fs');
    fs.writeSync(process.channel.fd, 'oops\\n\\n{"half":\\n');
    const { server } = require(${JSON.stringify(app('serves')[1])});
    server.listen(process.env.PORT, () => {
      process.stdout.write('');
      process.send('x'.repeat(3_000_000), () => console.error('sent'));
    });`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  const port = await master.serving();
  await master.waitForLine('sent');
  await master.reload(2);
  await master.waitFor('workerExited', { generation: 1 });
  expect((await whoAnswers(port)).generation).toBe(2);
  expect(master.all('messageRejected', { generation: 1 }).length).toBeGreaterThan(2);
});

test('a release that sends its server to the master and dies is rolled back, and the master does not accept', async () => {
  const bad = `
    const server = require('node:net').createServer(() => {});
    server.listen(process.env.PORT, () => process.send('x', server, () => process.exit(1)));`;
  const good = `require(${JSON.stringify(app('serves')[1])}).server.listen(process.env.PORT);`;
  const script = `if (process.env.GRACEFUL_RUN_GENERATION === '2') { ${bad} } else { ${good} }`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  const port = await master.serving();
  master.signal('SIGHUP');
  await master.waitFor('generationFailed', { generation: 2 });
  for (let request = 0; request < 20; request += 1) expect((await whoAnswers(port)).generation).toBe(1);
});

test('a release that sends a file to the master and dies is rolled back, and the master lives', async () => {
  const master = runMaster({ command: app('sends-a-file') });
  const port = await master.serving();
  master.signal('SIGHUP');
  const { failure } = await master.waitFor('generationFailed', { generation: 2 });
  expect(failure.outcome).toEqual({ code: 3, signal: null });
  expect((await whoAnswers(port)).generation).toBe(1);
});

test('a release that says without end where it listens does not fill the log', async () => {
  const script = `
    const say = (type, count) => {
      for (let at = 0; at < count; at += 1)
        process.send({ gracefulRun: 1, message: { type, pid: process.pid, address: type + at } });
    };
    say('undeclaredListen', 500);
    say('wideListen', 500);
    process.send('last', () => console.error('said'));
    require(${JSON.stringify(app('serves')[1])}).server.listen(process.env.PORT);`;
  const master = runMaster({ command: [process.execPath, '-e', script] });
  await master.serving();
  await master.waitForLine('said');
  expect(master.all('undeclaredListen')).toHaveLength(10);
  expect(master.all('wideListen')).toHaveLength(10);
});
