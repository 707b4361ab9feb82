import { describe, expect, it } from 'vitest';
import {
  extendStart,
  isOnOwnTerminal,
  mayBecomeWorker,
} from '../../../../src/worker/launcher/extend-start.ts';

it('tells a script from a helper whose output is read', () => {
  expect(isOnOwnTerminal('inherit')).toBe(true);
  expect(isOnOwnTerminal(['inherit', 1, { fd: 2 }])).toBe(true);
  expect(isOnOwnTerminal(['pipe', 'inherit', 'inherit'])).toBe(true);
  expect(isOnOwnTerminal([0, 'pipe', 2])).toBe(false);
  expect(isOnOwnTerminal('pipe')).toBe(false);
  expect(isOnOwnTerminal(undefined)).toBe(false);
  expect(isOnOwnTerminal([0, 1])).toBe(false);
});

it('leaves processes of a cluster alone', () => {
  expect(mayBecomeWorker({ stdio: 'inherit', pairs: [] }, false)).toBe(true);
  expect(mayBecomeWorker({ stdio: 'pipe', pairs: [] }, false)).toBe(false);
  expect(mayBecomeWorker({ stdio: 'pipe', pairs: [] }, true)).toBe(true);
  expect(mayBecomeWorker({ stdio: 'inherit', pairs: ['NODE_UNIQUE_ID=1'] }, true)).toBe(false);
});

describe('what is handed on', () => {
  const listener = { name: 'web', fd: 3, type: 'tcp' as const, host: '::', port: 80, backlog: 1 };
  const inherited = {
    listeners: [listener],
    channel: 4,
    variables: { LISTENERS: 'old', HEALTH: 'x' },
    listenersVariable: 'LISTENERS',
    preloadPath: '/opt/preload.cjs',
  };

  it('has the descriptors at the same place, and the variables beside those of the program', () => {
    const pairs = ['A=1', 'LISTENERS=stale', 'NODE_OPTIONS=--no-warnings'];
    expect(extendStart({ file: 'node', stdio: 'inherit', pairs }, inherited)).toEqual({
      stdio: ['inherit', 'inherit', 'inherit', 3, 4],
      pairs: [
        'A=1',
        `LISTENERS=${JSON.stringify([listener])}`,
        'HEALTH=x',
        'NODE_CHANNEL_FD=4',
        'NODE_OPTIONS=--no-warnings --require "/opt/preload.cjs"',
      ],
    });
  });

  it('has the descriptors behind those of the program', () => {
    const { stdio, pairs } = extendStart({ file: 'node', stdio: [0, 1, 2, 'pipe'], pairs: [] }, inherited);
    expect(stdio).toEqual([0, 1, 2, 'pipe', 3, 4]);
    expect(pairs).toContain(`LISTENERS=${JSON.stringify([{ ...listener, fd: 4 }])}`);
    expect(pairs).toContain('NODE_CHANNEL_FD=5');
  });

  it('leaves a channel of the program where it is', () => {
    const stdio = ['inherit', 'inherit', 'inherit', 'ipc'];
    const given = extendStart({ file: 'node', stdio, pairs: [] }, inherited);
    expect(given.stdio).toEqual([...stdio, 3, 4]);
    expect(given.pairs.join()).not.toContain('NODE_CHANNEL_FD');
  });

  it('puts our node ahead in the PATH of a shell, once', () => {
    const pathOf = (file: string, path: string): string | undefined =>
      extendStart({ file, stdio: 'inherit', pairs: [`PATH=${path}`] }, inherited).pairs.find((pair) =>
        pair.startsWith('PATH='),
      );
    expect(pathOf('/bin/sh', '/bin')).toBe('PATH=/opt/shim:/bin');
    expect(pathOf('sh', '/x:/opt/shim:/bin')).toBe('PATH=/opt/shim:/x:/bin');
    expect(pathOf('node', '/bin')).toBe('PATH=/bin');
  });
});
