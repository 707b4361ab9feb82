import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
});
const [{ files: shippedFiles }] = JSON.parse(packed) as [{ files: { path: string }[] }];
const shipped = shippedFiles.map(({ path }) => path);
const pages = shipped.filter((path) => path.endsWith('.md'));

test.each(pages)('every relative link in %s leads to a file, and a heading, in the package', (page) => {
  const dead = links(page).filter((link) => {
    const [path = '', heading] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), path));
    const isThere = shipped.some(
      (file) => file === target || file.startsWith(`${target.replace(/\/$/, '')}/`),
    );
    return !isThere || (heading !== undefined && !headings(target).includes(heading));
  });
  expect(dead).toEqual([]);
});

/** The relative links of a page, code left out. */
function links(page: string): string[] {
  const text = read(page)
    .replace(/^```[^]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

/** The headings of a page as GitHub spells them in a link. */
function headings(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}
