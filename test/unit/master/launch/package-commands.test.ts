import { expect, test } from 'vitest';
import { packageCommand } from '../../../../src/master/launch/package-commands.ts';

test.each([
  '--run start',
  '--run=start',
  '--env-file=.env --run start',
  '--env-file .env --no-warnings --run=start',
  '-r ./hook.cjs --inspect --run start -- --port 1',
])('node %s runs a script of package.json: Node.js applies no other switch to it', (line) => {
  expect(packageCommand('node', line.split(' '))).toEqual({
    kind: 'script',
    name: 'start',
    folder: null,
    orCommand: null,
  });
});

test.each([
  'app.js --run start',
  '--env-file .env app.js --run start',
  '-r --run app.js',
  '-- --run start',
  '-e 1 --run start',
  '--run',
])('node %s runs none', (line) => {
  expect(packageCommand('node', line.split(' '))).toBe(null);
});
