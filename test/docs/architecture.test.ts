import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const page = readFileSync(`${root}ARCHITECTURE.md`, 'utf8');
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');
const files = tracked.filter((file) => existsSync(root + file));

test('every file that ARCHITECTURE.md names exists', () => {
  const named = [...page.matchAll(/`([\w./-]+\.(?:ts|sh|cjs))`/g)].map(([, name = '']) => name);
  const missing = named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)));
  expect(missing).toEqual([]);
});

test('every folder of src/ has its row in ARCHITECTURE.md', () => {
  const folders = new Set(
    files.filter((file) => file.startsWith('src/')).map((file) => file.slice(0, file.lastIndexOf('/') + 1)),
  );
  const missing = [...folders].filter(
    (folder) => !page.includes(`\`${folder}\``) && !['src/worker/', 'src/worker/shim/'].includes(folder),
  );
  expect(missing).toEqual([]);
});

test.each(['Follow a reload', 'Follow a connection'])(
  'the number of files under "%s" is that of the list',
  (title) => {
    const [, section = ''] = page.split(`# ${title}\n`);
    const [text = ''] = section.split(/\nBack in the source|\n## /);
    const [, steps = ''] = /\n1\. ([\s\S]*)/.exec(text) ?? [];
    const named = new Set([...steps.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = '']) => name));
    // A file may be named again without its folder.
    const files = [...named].filter((name) => ![...named].some((other) => other.endsWith(`/${name}`)));
    expect(text).toContain(`${files.length} files`);
  },
);
