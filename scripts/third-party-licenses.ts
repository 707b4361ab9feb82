/** Writes THIRD-PARTY-LICENSES: the packages that are compiled into dist/, which `npm audit` does not see, with their licences. */
import { readdirSync, readFileSync } from 'node:fs';
import { bundle } from './bundles.js';

const root = new URL('..', import.meta.url);
const rule = '-'.repeat(80);

export async function thirdPartyLicenses(): Promise<string> {
  const files = await bundle({ write: false });
  const folders = files.flatMap((file) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []);
  const sections = [...new Set(folders)].sort().map(sectionOf);
  const intro = 'graceful-run contains code of the following packages, under their own licences.\n';
  return [intro, ...sections].join(`\n${rule}\n\n`);
}

function sectionOf(folder: string): string {
  const { name, version, license } = JSON.parse(read(`${folder}/package.json`)) as Record<string, string>;
  const file = readdirSync(new URL(folder, root)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${folder} has no licence file`);
  return `${String(name)} ${String(version)} (${String(license)})\n\n${read(`${folder}/${file}`).trim()}\n`;
}

function read(path: string): string {
  return readFileSync(new URL(path, root), 'utf8');
}
