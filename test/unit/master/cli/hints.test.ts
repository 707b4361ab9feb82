// Messages of a master are read by those who started it with options, and by those who wrote a config file.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { optionTable } from '../../../../src/master/cli/option-table.ts';
import { fileKeyOf } from '../../../../src/master/cli/parse-command-line.ts';

const root = new URL('../../../../src', import.meta.url).pathname;
/** They know how the option was written, or speak of other programs' options. */
const exempt =
  /^master\/(cli\/|check\/|launch\/(interpreters|package-commands|command-errors)\.ts|config\/(options|options\/option-errors|find-config)\.ts|config\/files\/(config|[a-z]+)-keys\.ts)/;

test('a message that names an option of the command line names the key of a config file before it', () => {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /^(master|shared|worker)\/.*\.ts$/.test(file) && !exempt.test(file),
  );
  const options = optionTable.filter(({ flag }) => !['config', 'check', 'run', 'json'].includes(flag));
  const bare = files.flatMap((file) => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    return lines.flatMap((line, index) =>
      options
        .filter(({ flag }) => new RegExp(`--${flag}\\b(?!-)`).test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
        .filter((row) => {
          const key = fileKeyOf(row).replace(/ in .*$/, '');
          return !new RegExp(`\\b${key}\\b[^()]*\\(--${row.flag}\\b`).test(line);
        })
        .map(({ flag }) => `${relative('', file)}:${index + 1}: --${flag}`),
    );
  });
  expect(bare).toEqual([]);
});
