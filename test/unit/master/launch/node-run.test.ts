import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeRun } from '../../../../src/master/launch/node-run.ts';
import { folderWith } from './support.ts';

const files = {
  'package.json': '{"scripts":{"start":"node app.js --verbose"}}',
  'node_modules/.bin/tool*': '',
  'web/src/main.js': '',
};
const run = (args: readonly string[], cwd: string): ReturnType<typeof nodeRun> =>
  nodeRun({ isNodeBinary: true, args }, { cwd, environment: { PATH: '/bin' } });

test('the script runs in the folder of its package, with what is installed there in its PATH', () => {
  const root = folderWith(files);
  expect(run(['--run', 'start'], join(root, 'web/src'))).toEqual({
    file: '/bin/sh',
    args: ['-c', 'node app.js --verbose'],
    cwd: root,
    variables: {
      PWD: root,
      PATH: `${root}/node_modules/.bin:/bin`,
      NODE_RUN_SCRIPT_NAME: 'start',
      NODE_RUN_PACKAGE_JSON_PATH: `${root}/package.json`,
    },
  });
});

test('only words after two dashes are passed on, as they are', () => {
  const args = ['--run=start', 'ignored', '--', 'a b', "it's", '$HOME'];
  expect(run(args, folderWith(files))?.args).toEqual([
    '-c',
    String.raw`node app.js --verbose 'a b' 'it'\''s' '$HOME'`,
  ]);
});

test('a script that is not there, and every other command, is left to Node.js', () => {
  const root = folderWith(files);
  expect(run(['--run', 'stop'], root)).toBeNull();
  expect(run(['app.js', '--run', 'start'], root)).toBeNull();
  expect(
    nodeRun({ isNodeBinary: false, args: ['--run', 'start'] }, { cwd: root, environment: {} }),
  ).toBeNull();
});
