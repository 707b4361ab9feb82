import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogSource } from '../../../../src/master/output/log-file.ts';
import { createLogFiles } from '../../../../src/master/output/log-files.ts';
import { temporaryFolder } from '../../../helpers/run-master.ts';

test('two paths of one file, of which one has a symlink in its folder, are one log file: no rotation of the one loses lines of the other', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'shared'));
  symlinkSync(join(folder, 'shared'), join(folder, 'log'));
  const files = createLogFiles();
  const paths = [join(folder, 'log', 'app.log'), join(folder, 'shared', 'app.log')];
  const [one, other] = paths.map((path) => files.at(path));
  expect(one).toBe(other);
  expect(one?.path).toBe(paths[0]);
  const source: LogSource = { hold: () => undefined };
  one?.attach(
    source,
    { maxBytes: 0, backups: 1, compress: false, daily: false, overflow: 'block' },
    () => undefined,
  );
  one?.write(source, Buffer.from('line\n'));
  await files.flushed();
  one?.detach(source);
  expect(readFileSync(join(folder, 'shared', 'app.log'), 'utf8')).toBe('line\n');
});

test('a path whose folder is missing is refused as it is written', () => {
  const path = join(temporaryFolder(), 'missing', 'app.log');
  const file = createLogFiles().at(path);
  const settings = { maxBytes: 0, backups: 1, compress: false, daily: false, overflow: 'block' } as const;
  expect(() => {
    file.attach({ hold: () => undefined }, settings, () => undefined);
  }).toThrow(path);
});
