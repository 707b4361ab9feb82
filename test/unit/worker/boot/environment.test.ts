import { describe, expect, it } from 'vitest';
import { readSettings } from '../../../../src/worker/boot/environment.ts';

const web = { name: 'web', fd: 3, type: 'tcp', host: '::', port: 80, backlog: 511 };

describe('the environment of a worker', () => {
  it('says what the master announced', () => {
    const environment = {
      GRACEFUL_RUN_LISTENERS: JSON.stringify([web]),
      GRACEFUL_RUN_GENERATION: '4',
      GRACEFUL_RUN_WORKER: '1',
      GRACEFUL_RUN_DRAIN_TIMEOUT_MS: '500',
      GRACEFUL_RUN_RESCUE_MS: '10000',
    };
    expect(readSettings(environment)).toEqual({
      generation: 4,
      slot: 1,
      listeners: [web],
      drainTimeoutMs: 500,
      rescueMs: 10_000,
      masterPid: null,
      channelLock: null,
      maxRequests: null,
      health: null,
    });
  });

  it('has defaults for what a master left out', () => {
    const settings = readSettings({ GRACEFUL_RUN_LISTENERS: '[]', GRACEFUL_RUN_DRAIN_TIMEOUT_MS: 'soon' });
    expect(settings).toEqual({
      generation: 0,
      slot: 0,
      listeners: [],
      drainTimeoutMs: 30_000,
      rescueMs: 0,
      masterPid: null,
      channelLock: null,
      maxRequests: null,
      health: null,
    });
  });

  it.each<[string, string | undefined]>([
    ['missing', undefined],
    ['not JSON', 'x'],
    ['not a list', '{}'],
    ['an entry that is nothing', '[null]'],
    ['a file descriptor of the standard streams', JSON.stringify([{ ...web, fd: 2 }])],
    ['a port that is none', JSON.stringify([{ ...web, port: 70_000 }])],
    ['a name that is not text', JSON.stringify([{ ...web, name: 1 }])],
    ['a backlog that is missing', JSON.stringify([{ ...web, backlog: undefined }])],
  ])('makes no worker of a process when the listeners are %s', (_, listeners) => {
    expect(readSettings(listeners === undefined ? {} : { GRACEFUL_RUN_LISTENERS: listeners })).toBe(null);
  });

  it('says what to find out before it is ready', () => {
    const health = { path: '/healthz', warmup: 50, readyTimeoutMs: 30_000 };
    const environment = { GRACEFUL_RUN_LISTENERS: '[]', GRACEFUL_RUN_HEALTH: JSON.stringify(health) };
    expect(readSettings(environment)).toMatchObject({ health });
  });

  it.each([
    'x',
    'null',
    '{"path":"/"}',
    '{"path":"healthz","warmup":1,"readyTimeoutMs":1}',
    '{"path":"/","warmup":-1,"readyTimeoutMs":1}',
  ])('makes no worker of a process that it tells to be healthy as %s', (text) => {
    expect(readSettings({ GRACEFUL_RUN_LISTENERS: '[]', GRACEFUL_RUN_HEALTH: text })).toBe(null);
  });
});
