import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readProcessVariable, readProcessVariables } from '../../../src/shared/process-variable.ts';

test('the variables are those with which the process was started; null stands for one that is not set', async () => {
  const child = spawn('sleep', ['60'], { env: { PATH: process.env['PATH'], A: '1', AB: 'two=2' } });
  await once(child, 'spawn');
  const { pid = 0 } = child;
  expect(readProcessVariables(pid, ['AB', 'A', 'B'])).toEqual(['two=2', '1', null]);
  expect(readProcessVariable(pid, 'A')).toBe('1');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(readProcessVariables(pid, ['A'])).toEqual([null]);
});
