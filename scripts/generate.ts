/**
 * `npm run generate`: writes the parts of the documentation that would become wrong if they were written by hand: the README's options table from the
 * option table, docs/lifecycle.md from the lifecycle's own tables, docs/events.md from the events, a table of docs/programs.md from the drain
 * signals, the table of docs/metrics.md, openapi.json from the schemas of the control API, the manual pages in man/, schema.json and the tables of
 * docs/config.md from the keys of config files, THIRD-PARTY-LICENSES from the bundles. With --check it only reports whether they are up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { optionTable } from '../src/master/cli/option-table.ts';
import { fileKeysTable, groupKeysTable, masterKeysTable, programKeysTable } from './config-page.ts';
import { drainSignalsTable } from './programs-page.ts';
import { configSchema } from './config-schema.ts';
import { eventsPage } from './events-page.ts';
import { lifecyclePage } from './lifecycle-page.ts';
import { openApi } from './openapi/document.ts';
import { metricsTable } from './metrics-page.ts';
import { manPages } from './man-pages.ts';
import { thirdPartyLicenses } from './third-party-licenses.ts';

const isCheck = process.argv.includes('--check');
const licenses = await thirdPartyLicenses();
const style = await resolveConfig(new URL('../openapi.json', import.meta.url));
const api = await format(JSON.stringify(openApi()), { ...style, parser: 'json' });
const schema = await format(JSON.stringify(configSchema()), { ...style, parser: 'json' });
const stale = [
  update('README.md', (text) => between(text, 'options', optionsTable())),
  update('docs/lifecycle.md', () => lifecyclePage()),
  update('docs/events.md', () => eventsPage()),
  update('openapi.json', () => api),
  update('docs/config.md', (text) =>
    [
      { name: 'program keys', table: programKeysTable() },
      { name: 'group keys', table: groupKeysTable() },
      { name: 'master keys', table: masterKeysTable() },
      { name: 'file keys', table: fileKeysTable() },
    ].reduce((page, { name, table }) => between(page, name, table), text),
  ),
  update('docs/programs.md', (text) => between(text, 'drain signals', drainSignalsTable())),
  update('docs/metrics.md', (text) => between(text, 'metrics', metricsTable())),
  update('schema.json', () => schema),
  ...Object.entries(manPages()).map(([path, page]) => update(path, () => page)),
  update('THIRD-PARTY-LICENSES', () => licenses),
].filter((path) => path !== null);

if (isCheck && stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}; run: npm run generate`);
  process.exit(1);
}

/** Updates a file. Returns its path if its text was not up to date, otherwise null. */
function update(path: string, make: (text: string) => string): string | null {
  const file = new URL(`../${path}`, import.meta.url);
  const text = read(file);
  const wanted = make(text);
  if (text === wanted) return null;
  if (!isCheck) writeFileSync(file, wanted);
  return path;
}

function read(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Returns `text` with `content` between the markers `name`. */
function between(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`no markers for ${name}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

function optionsTable(): string {
  const rows = optionTable.map(({ flag, short, value, default: preset, description }) => {
    const name = short === undefined ? `--${flag}` : `-${short}, --${flag}`;
    const usage = value === null ? name : `${name} ${value}`;
    return `| \`${usage.replaceAll('|', '\\|')}\` | ${description} | ${preset ?? ''} |`;
  });
  return ['', '| option | meaning | default |', '| --- | --- | --- |', ...rows, ''].join('\n');
}
