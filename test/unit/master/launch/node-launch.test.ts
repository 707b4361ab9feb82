import { expect, test } from 'vitest';
import { launchNode, type NodeLaunchOptions } from '../../../../src/master/launch/node-launch.ts';

const node = { file: '/usr/bin/node', args: ['app.js'], isNodeBinary: true, isNode: true };
const options: NodeLaunchOptions = {
  command: node,
  environment: { PATH: '/usr/bin' },
  preload: '/opt/preload.cjs',
  shimFolder: '/opt/shim',
};

test('NODE_OPTIONS of the operator keep their place ahead of the preload', () => {
  expect(launchNode(options).nodeOptions).toBe('--require "/opt/preload.cjs"');
  const environment = { ...options.environment, NODE_OPTIONS: '--no-warnings' };
  expect(launchNode({ ...options, environment })).toMatchObject({
    args: ['app.js'],
    nodeOptions: '--no-warnings --require "/opt/preload.cjs"',
    path: '/usr/bin',
  });
});

test('a program that reads NODE_OPTIONS from a file gets the preload on its command line', () => {
  const command = { ...node, args: ['--env-file=.env', 'app.js', '--env-file'] };
  expect(launchNode({ ...options, command })).toMatchObject({
    args: ['--require', '/opt/preload.cjs', '--env-file=.env', 'app.js', '--env-file'],
    nodeOptions: undefined,
  });
  // What is set already wins over the file, with us and without us.
  const environment = { ...options.environment, NODE_OPTIONS: '--no-warnings' };
  expect(launchNode({ ...options, command, environment }).args).toEqual(command.args);
  // An argument of the program is no option of Node.js.
  expect(
    launchNode({ ...options, command: { ...node, args: ['app.js', '--env-file=.env'] } }).nodeOptions,
  ).toContain('--require');
});

test('a program under the permission model may read the bundles of its worker', () => {
  const command = { ...node, args: ['--permission', '--allow-fs-read=/srv/*', 'app.js'] };
  expect(launchNode({ ...options, command }).nodeOptions).toBe(
    '--allow-fs-read="/opt/*" --require "/opt/preload.cjs"',
  );
  const environment = { ...options.environment, NODE_OPTIONS: '--permission' };
  expect(launchNode({ ...options, environment }).nodeOptions).toContain('--allow-fs-read="/opt/*"');
});

test('only what may be a shell, or start one, finds another node first in PATH', () => {
  const pathOf = (file: string, environment: Record<string, string> = {}): unknown =>
    launchNode({
      ...options,
      command: { file, args: [], isNodeBinary: false, isNode: false },
      environment: { ...options.environment, ...environment },
    }).path;
  expect(pathOf('/bin/sh')).toBe('/opt/shim:/usr/bin');
  expect(pathOf('/srv/start.sh')).toBe('/opt/shim:/usr/bin');
  expect(pathOf('/usr/bin/env')).toBe('/opt/shim:/usr/bin');
  expect(pathOf('/bin/sh', { PATH: '/opt/shim:/bin' })).toBe('/opt/shim:/bin');
  expect(pathOf('/usr/bin/python3')).toBe('/usr/bin');
  // It is a shell script, and a shell would lose this variable.
  expect(pathOf('/usr/bin/env', { 'db.password': 'x' })).toBe('/usr/bin');
  expect(launchNode({ ...options, command: { ...node, isNodeBinary: false } }).path).toBe('/usr/bin');
});
