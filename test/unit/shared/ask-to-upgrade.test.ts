// The control socket of a master that is replaced during a request: the request breaks off, and later ones are answered by the new version.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askToUpgrade } from '../../../src/shared/ask-to-upgrade.ts';
import type { MasterStatus } from '../../../src/shared/control-api.ts';
import { masterStatus } from '../../helpers/example-programs.ts';
import { socketFolder } from '../../helpers/fake-master.ts';

type Answer = (response: ServerResponse) => void;

const breaksOff: Answer = (response) => {
  response.destroy();
};

function answers(body: unknown, status = 200): Answer {
  return (response) => {
    response.writeHead(status).end(JSON.stringify(body));
  };
}

function master(facts: Partial<MasterStatus> = {}): MasterStatus {
  return { ...masterStatus('web'), pid: process.pid, ...facts };
}

/** A control socket that answers requests for the upgrade and, in turn, those for the status. The last of those is repeated. */
async function socketOf(
  upgrade: Answer,
  statuses: readonly Answer[],
): Promise<{ readonly path: string; readonly close: () => void }> {
  const folder = socketFolder();
  const path = join(folder.path, 'web.sock');
  let at = 0;
  const server = createServer((request, response) => {
    const answer = request.method === 'POST' ? upgrade : statuses[Math.min(at++, statuses.length - 1)];
    answer?.(response);
  });
  await once(server.listen(path), 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(() => {
    close();
    folder.remove();
  });
  return { path, close };
}

test('it ends when the master answers that it was upgraded, and not before', async () => {
  const old = answers(master());
  const next = answers(master({ version: '0.2.0', node: '22.23.3', upgrades: 1 }));
  const { path } = await socketOf(breaksOff, [old, old, breaksOff, old, next]);
  expect(await askToUpgrade('upgrade', { path })).toEqual({
    from: '0.1.0',
    version: '0.2.0',
    nodeFrom: '20.20.2',
    node: '22.23.3',
    upgrades: 1,
  });
});

test('a master that refuses is quoted', async () => {
  const error = { code: 'upgradeFailed', message: 'cannot upgrade: after 1m, web is starting', hint: 'wait' };
  const { path } = await socketOf(answers({ error }, 409), [answers(master())]);
  await expect(askToUpgrade('upgrade', { path })).rejects.toMatchObject(error);
});

test('a master that does not know the request has to be stopped and started', async () => {
  const error = { code: 'controlRequestRejected', message: 'unknown route /v1/upgrade', hint: null };
  const { path } = await socketOf(answers({ error }, 404), [answers(master())]);
  await expect(askToUpgrade('upgrade', { path })).rejects.toMatchObject({
    code: 'upgradeFailed',
    message: expect.stringContaining('graceful-run 0.1.0') as string,
    hint: expect.stringContaining('gracefulctl shutdown web --wait') as string,
  });
});

test('a master that has exited instead is reported at once, also if another one has taken its place', async () => {
  const ended = await endedProcess();
  const old = answers(master({ pid: ended }));
  const socket = await socketOf(
    (response) => {
      socket.close();
      response.destroy();
    },
    [old],
  );
  const lost = { code: 'upgradeFailed', message: expect.stringContaining(`pid ${ended} exited`) as string };
  await expect(askToUpgrade('upgrade', socket)).rejects.toMatchObject(lost);
  const { path } = await socketOf(breaksOff, [old, answers(master())]);
  await expect(askToUpgrade('upgrade', { path })).rejects.toMatchObject(lost);
});

test('its signal ends the wait for the new version', async () => {
  const ending = new AbortController();
  const { path } = await socketOf(breaksOff, [
    answers(master()),
    (response) => {
      answers(master())(response);
      ending.abort(new Error('not any more'));
    },
  ]);
  await expect(askToUpgrade('upgrade', { path, signal: ending.signal })).rejects.toThrow();
});

async function endedProcess(): Promise<number> {
  const child: ChildProcess = spawn('true');
  await once(child, 'exit');
  return child.pid ?? -1;
}
