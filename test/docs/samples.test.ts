// Samples of the documentation that no other test runs: config files can be read, and command lines can be parsed.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCommandLine as parseGracefulctl } from '../../src/ctl/command-line.ts';
import { answerCompletion } from '../../src/ctl/shell-completion.ts';
import { parseCommandLine } from '../../src/master/cli/parse-command-line.ts';
import { readConfig } from '../../src/master/config/files/read-config.ts';
import { compileOptions } from '../../src/master/config/options.ts';
import { temporaryFolder } from '../helpers/run-master.ts';

const root = new URL('../..', import.meta.url).pathname;
const pages = [...filesIn('docs', '.md'), 'README.md'].toSorted();

function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

interface Sample {
  /** `docs/hooks.md:7` */
  readonly place: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

const samples: readonly Sample[] = pages.flatMap((page) => {
  const source = readFileSync(join(root, page), 'utf8');
  return [...source.matchAll(/^( *)```(\w+)\n([^]*?)^ *```$/gm)].map(
    ({ 1: indentation = '', 2: language = '', 3: text = '', index }) => ({
      place: `${page}:${source.slice(0, index).split('\n').length}`,
      page,
      language,
      text: text.replaceAll(new RegExp(`^${indentation}`, 'gm'), ''),
    }),
  );
});

/** The samples in these languages. Those in `toml` are config files on every page, those in YAML and JavaScript on the page about config files. */
const configFiles = samples.filter(
  ({ language, page }) =>
    language === 'toml' || (page === 'docs/config.md' && ['yaml', 'js'].includes(language)),
);

test.each(configFiles)('the config file at $place can be read', async ({ language, text }) => {
  const file = join(temporaryFolder(), `graceful.${language === 'js' ? 'mjs' : language}`);
  // The one about includes shows nothing but them, and one of the files is not on this machine.
  const whole = text.startsWith('include')
    ? `${text.replace(/, "\/etc[^"]*"/, '')}[program.x]\ncommand = "x"\nport = 0\n`
    : text;
  writeFileSync(file, whole);
  const read = await readConfig(file, { WEBHOOK_SECRET: 'secret', METRICS_TOKEN: 'token' });
  expect('problems' in read ? read.problems : []).toEqual([]);
});

test('every marker of a sample is one that a test names, with its page', () => {
  const files = [...filesIn('test/docs', '.test.ts'), ...filesIn('test/clients', '.test.ts')];
  const tests = files.map((path) => readFileSync(join(root, path), 'utf8'));
  const markers = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/<!-- test: (\S+) -->/g)].map(([, name = '']) => ({
      page,
      name,
    })),
  );
  expect(markers.length).toBeGreaterThan(20);
  const isNamed = ({ page, name }: (typeof markers)[number]): boolean =>
    tests.some(
      (text) =>
        text.includes(page) && (text.includes(`'${name}'`) || text.includes(`<!-- test: ${name} -->`)),
    );
  expect(markers.filter((marker) => !isNamed(marker))).toEqual([]);
});

const shells = samples.filter(({ language }) => language === 'sh');

test.each(shells)('the shell understands the commands at $place', ({ text }) => {
  execFileSync('bash', ['-n'], { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
});

/** The words of every graceful-run and gracefulctl at the beginning of a command. What comes behind `|`, `;`, `&&`, `>` or `)` is left out. */
function commandsIn(text: string): readonly (readonly string[])[] {
  return text.split('\n').flatMap((line) => {
    const code = line.replace(/(^|\s)#.*$/, '');
    const found = code.matchAll(
      /(?:^|\$ |&& |; |\(|'exec |=\S+ |\/)(graceful-run|gracefulctl)((?: +(?:'[^']*'|"[^"]*"|[^\s;&|)<>#'"])+)*)(?=[\s;&|)']|$)/g,
    );
    return [...found].map(([, name = '', rest = '']) => [
      name,
      ...(rest.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replaceAll(/['"]/g, '')),
    ]);
  });
}

const commands = samples
  .filter(({ language }) => ['sh', 'console', 'ini'].includes(language))
  .flatMap(({ place, text }) => commandsIn(text).map((words) => ({ place, line: words.join(' '), words })));

test('command lines are found in the samples', () => {
  expect(commands.length).toBeGreaterThan(50);
  expect(commands.map(({ line }) => line)).toEqual(
    expect.arrayContaining([
      'gracefulctl completion bash',
      'graceful-run --port 10086 -- node server.js',
      'graceful-run --port 8000 --host 127.0.0.1 -- env NGINX={fd}; nginx -p . -c nginx.conf',
    ]),
  );
});

test.each(commands)('$place: the options of $line are valid', async ({ words: [name, ...words] }) => {
  if (name === 'gracefulctl') {
    expect((await answerCompletion(words)) ?? (await parseGracefulctl(words))).not.toBeNull();
    return;
  }
  const invocation = parseCommandLine(words, () => 'graceful.toml');
  if (invocation.kind === 'run') compileOptions(invocation.options, '/');
});
