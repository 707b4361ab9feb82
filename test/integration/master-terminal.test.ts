// Ctrl-C in a terminal goes to the whole foreground process group: the master is in it, its workers are not.
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { begin } from '../helpers/plain-client.ts';
import { isAlive } from '../helpers/marked-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { kill, runMaster } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

/**
 * script(1) of util-linux gives the command a terminal of its own and passes on what is typed. `exec`, because a shell
 * that waits for the command (dash does) gets the Ctrl-C too, and dies of it.
 */
const script = '/usr/bin/script';
const throughTerminal = [
  'sh',
  '-c',
  'exec script --quiet --return --flush --command "exec $*" /dev/null',
  'sh',
];

const isThere = process.platform === 'linux' && existsSync(script);

test.runIf(mayRun(isThere))(
  'Ctrl-C reaches the master alone: the request in flight finishes, and the end is 0',
  async () => {
    const master = runMaster({ through: throughTerminal });
    const port = await master.serving();
    const { answer } = await begin(port, '/held');
    master.child.stdin?.write('\x03');
    await master.waitFor('workerDraining', { reason: 'stop' });
    kill(await master.workerPid(1), 'SIGUSR2');
    expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
    expect(await master.exited).toEqual({ code: 0, signal: null });
    expect(master.all('workerExited')).toMatchObject([{ outcome: { code: 0, signal: null }, cut: 0 }]);
  },
);

test.runIf(mayRun(isThere))(
  'Ctrl-C in a terminal says what is still open and how to stop at once, and a second one does so',
  async () => {
    const master = runMaster({
      through: throughTerminal,
      flags: ['--log-format', 'pretty'],
      env: { NO_COLOR: '1' },
    });
    await master.waitForLine('generation 1 serves');
    const { listeners, workers } = await master.status();
    const [worker] = workers;
    const { answer } = await begin(listeners[0]?.port ?? 0, '/held');
    const cut = expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
    master.child.stdin?.write('\x03');
    const line = await master.waitForLine('waiting for');
    expect(line).toContain('waiting for 1 worker with 1 request in flight, 1 connection open, for at most');
    expect(line).toMatch(
      /; the same request again \(Ctrl-C, SIGTERM, gracefulctl stop or shutdown\) stops at once$/,
    );
    expect(isAlive(worker?.pid ?? 0)).toBe(true);
    const askedAt = performance.now();
    master.child.stdin?.write('\x03');
    expect(await master.exited).toEqual({ code: 0, signal: null });
    // The deadline would have been 30 s after the first one.
    expect(performance.now() - askedAt).toBeLessThan(5_000);
    await cut;
    expect(isAlive(worker?.pid ?? 0)).toBe(false);
  },
);

test.runIf(mayRun(isThere))(
  'a terminal that is closed stops it gracefully: no reload, and nobody is left behind',
  async () => {
    const master = runMaster({ through: throughTerminal });
    const port = await master.serving();
    const { answer } = await begin(port, '/held');
    const worker = await master.workerPid(1);
    // script(1) holds the other end of the terminal.
    kill(master.child.pid ?? -1);
    await eventually('the master stops', async () => (await master.status()).phase === 'stopping');
    kill(worker, 'SIGUSR2');
    expect(await answer).toEqual({ status: 200, body: 'begun, ended' });
    await eventually('nobody is left', () => master.processes().length === 0);
  },
);
