import { expect, test } from 'vitest';
import { describeForeign } from '../../../../src/ctl/masters/foreign-masters.ts';

const ofRoot = { folder: '/run/graceful-run', owner: 0 };
const dryRun = {
  typed: 'gracefulctl update --dry-run',
  spell: (name: string) => `gracefulctl update ${name} --dry-run`,
};

test('the command for the master of another user is the one that was typed, with its options', () => {
  expect(describeForeign([{ ...ofRoot, names: ['blue'] }], null, dryRun)?.error?.hint).toBe(
    'run it as that user: sudo gracefulctl update blue --dry-run',
  );
});

test('the command for a folder that this user may not read has the options, with or without a name', () => {
  const hint = (name: string | null): string | undefined =>
    describeForeign([{ ...ofRoot, names: null }], name, dryRun)?.hint;
  expect(hint(null)).toMatch(/: sudo gracefulctl update --dry-run$/);
  expect(hint('blue')).toMatch(/: sudo gracefulctl update blue --dry-run$/);
});

test('the command names a folder in which the gracefulctl of its owner does not look', () => {
  const found = [{ folder: '/srv/sockets', owner: 0, names: ['blue'] }];
  expect(describeForeign(found, 'blue', dryRun)?.error?.hint).toContain(
    ': sudo env GRACEFUL_RUN_CONTROL_FOLDER=/srv/sockets gracefulctl update blue',
  );
});
