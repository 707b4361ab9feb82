import { expect, test } from 'vitest';
import { helpText } from '../../../../src/master/cli/help.ts';
import { optionTable } from '../../../../src/master/cli/option-table.ts';

test('the help says of every option what its value looks like, and what a time is', async () => {
  const help = await helpText(100);
  for (const { flag, value } of optionTable)
    expect(help).toContain(value === null ? `--${flag} ` : `--${flag} ${value} `);
  expect(help).toContain('500ms');
  // What yargs makes of a key for itself is not for the reader.
  expect(help).not.toMatch(/readyTimeout|\[string]/);
});
