import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { bundled } from '../../../helpers/bundled.ts';

const program = new URL('../../../fixtures/trades-descriptors.ts', import.meta.url).pathname;

test.skipIf(process.platform !== 'linux')(
  'descriptors that trade their numbers do not overwrite each other',
  async () => {
    const told = execFileSync(process.execPath, [await bundled(program)], { encoding: 'utf8' });
    expect(JSON.parse(told)).toEqual({ seen: ['/etc/passwd', '/etc/hostname'], code: 7 });
  },
);
