import http from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createHealthGate } from '../../../../src/worker/health/health-gate.ts';
import type { HealthParts } from '../../../../src/worker/health/prove-health.ts';

const order = { path: '/healthz', warmup: 0, readyTimeoutMs: 1_000 };

const inContextOf = (_server: unknown, action: () => void): void => {
  action();
};

function gateOver(proveHealth: (parts: HealthParts) => Promise<boolean>) {
  const parts = { notReadyYet: vi.fn(), passed: vi.fn() };
  return {
    ...parts,
    gate: createHealthGate({ order, port: 80, listensOnIt: () => false, inContextOf, ...parts }, proveHealth),
  };
}

test('lets through once health is proven', async () => {
  const { gate, passed } = gateOver(() => Promise.resolve(true));
  expect(passed).not.toHaveBeenCalled();
  gate.begin();
  await turn();
  expect(passed).toHaveBeenCalledTimes(1);
});

test('says each reason once, as much of it as a message takes', async () => {
  const { gate, notReadyYet } = gateOver(({ report }) => {
    for (const reason of ['a', 'a', 'b'.repeat(900), 'a']) report(reason);
    return Promise.resolve(true);
  });
  gate.begin();
  await turn();
  expect(notReadyYet.mock.calls).toEqual([['a'], ['b'.repeat(500)], ['a']]);
});

test('stays closed when it was stopped', async () => {
  const { gate, passed, notReadyYet } = gateOver(({ stopped }) => Promise.resolve(!stopped.aborted));
  gate.stop();
  gate.begin();
  await turn();
  expect(passed).not.toHaveBeenCalled();
  expect(notReadyYet).not.toHaveBeenCalled();
});

test('stays closed, and says so, when nobody can be asked', async () => {
  const { gate, passed, notReadyYet } = gateOver(() => Promise.reject(new Error('no such file')));
  gate.begin();
  await turn();
  expect(passed).not.toHaveBeenCalled();
  expect(notReadyYet).toHaveBeenCalledWith(expect.stringContaining('no such file'));
});

test('asks the first server that listens on the port', async () => {
  const [elsewhere, first, second] = [81, 80, 80].map((port) =>
    Object.assign(http.createServer(), { address: () => ({ port, address: '::', family: 'IPv6' }) }),
  );
  const asked = vi.fn();
  const { gate } = gateOver(({ server }) => {
    asked(server());
    return Promise.resolve(true);
  });
  for (const server of [http.createServer(), elsewhere, first, second])
    if (server !== undefined) gate.track(server);
  gate.begin();
  await turn();
  expect(asked).toHaveBeenCalledWith(first);
});
