import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { bundled } from '../../../helpers/bundled.ts';

async function run(name: string, ...flags: readonly string[]): Promise<unknown> {
  const program = new URL(`../../../fixtures/${name}.ts`, import.meta.url).pathname;
  const told = execFileSync(process.execPath, [...flags, await bundled(program)], { encoding: 'utf8' });
  return JSON.parse(told);
}

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('descriptors that are swapped do not overwrite each other', async () => {
    expect(await run('swaps-descriptors')).toEqual({ seen: ['/etc/passwd', '/etc/hostname'], code: 7 });
  });

  test('a process that has ended is forgotten', async () => {
    // The last one may still be on the stack.
    expect(await run('forgets-children', '--expose-gc')).toBeLessThanOrEqual(1);
  });
});
