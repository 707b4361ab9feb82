import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingFileOf, programFile } from '../../../../src/master/launch/program-file.ts';
import { splitWords } from '../../../../src/master/launch/split-words.ts';
import { errorOf, folderWith } from './support.ts';

const environment = { PATH: '/usr/bin:/bin' };

function fileOf(cwd: string, line: string): string {
  const file = programFile(splitWords(line), { cwd, environment });
  return file.startsWith(`${cwd}/`) ? file.slice(cwd.length + 1) : file;
}

describe('the file of an interpreter is its script', () => {
  const files = {
    'app.js': '',
    'app.ts': '',
    'app.py': '',
    'app.rb': '',
    'run.sh': '',
    'my app.js': '',
    'data.json': '',
    'lib/index.js': '',
    'web/package.json': '{"main":"./src/main"}',
    'web/src/main.js': '',
    'web/index.js': '',
    'broken/package.json': '{"main":"gone.js"}',
    'broken/index.js': '',
    'pkg/package.json': '{"main":"dist"}',
    'pkg/dist/index.js': '',
    'module/__main__.py': '',
  };

  it.each<[string, string]>([
    ['node app.js --port 1', 'app.js'],
    ['node app', 'app.js'],
    ['node ./data', 'data.json'],
    ['node lib', 'lib/index.js'],
    ['node web', 'web/src/main.js'],
    ['node broken/', 'broken/index.js'],
    ['node pkg', 'pkg/dist/index.js'],
    ['node -r ./data.json --import tsx --env-file .env --max-old-space-size=512 app.ts', 'app.ts'],
    ['node --max-old-space-size 512 --inspect --conditions development app.js', 'app.js'],
    ['node --enable-source-maps -- app.js', 'app.js'],
    ['/usr/local/bin/node "my app.js"', 'my app.js'],
    ['nodejs app.js', 'app.js'],
    ['tsx watch --tsconfig t.json app.ts', 'app.ts'],
    ['tsx app', 'app.ts'],
    ['ts-node -P tsconfig.json app.ts', 'app.ts'],
    ['bun run app.ts', 'app.ts'],
    ['bun app.ts', 'app.ts'],
    ['deno run --allow-net -c deno.json app.ts', 'app.ts'],
    ['python3 -u -W ignore app.py', 'app.py'],
    ['python3.11 app.py', 'app.py'],
    ['python module', 'module/__main__.py'],
    ['ruby -I lib app.rb', 'app.rb'],
    ['bash -e -o pipefail run.sh a b', 'run.sh'],
    ['sh run.sh', 'run.sh'],
    ['NODE_ENV=production env -u X A=b nice -n 5 node app.js', 'app.js'],
    ['cross-env A=b node app.js', 'app.js'],
  ])('%s -> %s', (line, file) => {
    expect(fileOf(folderWith(files), line)).toBe(file);
  });

  it.each([
    'node',
    'node -e 1',
    'node --eval 1 app.js',
    'node -p 1',
    'node -',
    'node missing.js',
    'python3 -m http.server',
    "sh -c 'node app.js'",
    'deno run https://example.org/app.ts',
    'deno task start',
    'FOO=1',
    'npm start --prefix missing',
  ])('there is none for %s', (line) => {
    const cwd = folderWith(files);
    const error = errorOf(() => fileOf(cwd, line));
    expect(error.code).toBe('notWatchable');
    expect(error.hint).toContain('--watch');
  });

  it('keeps the path as it was written, so that a switched symlink is seen', () => {
    const cwd = folderWith({ 'releases/42/app.js': '' });
    symlinkSync('releases/42', join(cwd, 'current'));
    expect(fileOf(cwd, 'node current/app.js')).toBe('current/app.js');
    expect(fileOf(cwd, 'node current/app')).toBe('current/app.js');
  });

  it('knows Node.js under another name', () => {
    const cwd = folderWith({ 'app.js': '' });
    symlinkSync(process.execPath, join(cwd, 'runtime'));
    expect(fileOf(cwd, './runtime app.js')).toBe('app.js');
  });
});

describe('the file of anything else is the executable', () => {
  it('as it is found on PATH or by its path', () => {
    const cwd = folderWith({ 'bin/server*': '\x7fELF' });
    expect(fileOf(cwd, 'bin/server --port 1')).toBe('bin/server');
    expect(programFile(['server'], { cwd, environment: { PATH: 'bin' } })).toBe(join(cwd, 'bin/server'));
    expect(errorOf(() => fileOf(cwd, './missing')).code).toBe('commandNotFound');
  });
});

describe('the file of a package is its entry', () => {
  const scripts = {
    start: 'node server.js',
    serve: "FOO=1 BAR='2 3' node --enable-source-maps src/app.js --flag",
    cross: 'cross-env NODE_ENV=production tsx src/app.ts',
    build: 'tsc',
    full: 'npm run build && npm run serve -- --more',
    next: 'next start',
    piped: 'node src/app.js | pino-pretty',
    circle: 'npm run circle',
  };
  const files = {
    'package.json': JSON.stringify({ name: 'x', main: 'main.js', scripts, bin: { 'x-cli': './cli.js' } }),
    'main.js': '',
    'server.js': '',
    'cli.js': '',
    'src/app.js': '',
    'src/app.ts': '',
    'node_modules/.bin/next': '',
    'other/package.json': '{"scripts":{"start":"node index"}}',
    'other/index.js': '',
  };

  it.each<[string, string]>([
    ['npm start', 'server.js'],
    ['npm start --prefix other', 'other/index.js'],
    ['npm --prefix other start', 'other/index.js'],
    ['npm -C other run start', 'other/index.js'],
    ['npm run start', 'server.js'],
    ['npm run --silent serve -- --port 1', 'src/app.js'],
    ['npm run-script cross', 'src/app.ts'],
    ['npm run full', 'src/app.js'],
    ['npm run piped', 'src/app.js'],
    ['npm run next', 'main.js'],
    ['npm run circle', 'main.js'],
    ['yarn start', 'server.js'],
    ['yarn serve', 'src/app.js'],
    ['yarn run serve', 'src/app.js'],
    ['yarn node src/app.js', 'src/app.js'],
    ['yarn --cwd other start', 'other/index.js'],
    ['pnpm start', 'server.js'],
    ['pnpm run cross', 'src/app.ts'],
    ['pnpm serve', 'src/app.js'],
    ['pnpm exec tsx src/app.ts', 'src/app.ts'],
    ['node --run serve', 'src/app.js'],
    ['node --run=serve', 'src/app.js'],
    ['npx tsx src/app.ts', 'src/app.ts'],
    ['npx -y --package tsx tsx src/app.ts', 'src/app.ts'],
    ['npx x-cli', 'cli.js'],
    ['npx next start', 'node_modules/.bin/next'],
    ['npm exec -- tsx src/app.ts', 'src/app.ts'],
  ])('%s -> %s', (line, file) => {
    expect(fileOf(folderWith(files), line)).toBe(file);
  });

  it('belongs to the nearest package.json above the working directory', () => {
    const cwd = folderWith({ ...files, 'src/deep/x.js': '' });
    expect(programFile(['npm', 'start'], { cwd: join(cwd, 'src/deep'), environment })).toBe(
      join(cwd, 'server.js'),
    );
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'no start script, as npm itself',
      { 'package.json': '{"main":"main.js"}', 'main.js': '', 'server.js': '' },
      'server.js',
    ],
    ['no start script and no server.js', { 'package.json': '{"main":"main.js"}', 'main.js': '' }, 'main.js'],
    [
      'a tool without a main',
      { 'package.json': '{"scripts":{"start":"next start"}}', 'index.js': '' },
      'index.js',
    ],
    [
      'a script whose file is missing',
      { 'package.json': '{"scripts":{"start":"node gone.js"}}', 'server.js': '' },
      'server.js',
    ],
  ])('falls back: %s', (_title, these, file) => {
    expect(fileOf(folderWith(these), 'npm start')).toBe(file);
  });

  it('is asked for when nothing tells it', () => {
    for (const these of [
      { 'package.json': '{"scripts":{"start":"next start"}}' },
      { 'package.json': 'not json' },
    ]) {
      expect(errorOf(() => fileOf(folderWith(these), 'npm start')).code).toBe('notWatchable');
    }
  });
});

describe('the file that is missing', () => {
  const files = { 'web/app.js': '', 'config.json': '', 'tool/package.json': '{"bin":"x.js"}' };

  it.each<[string, string]>([
    ['node missing.js', 'missing.js'],
    ['node --enable-source-maps ./missing', 'missing'],
    ['NODE_ENV=production nice -n 5 node missing.mjs --port 1', 'missing.mjs'],
    ['python3 -u missing.py', 'missing.py'],
    ['sh bin/missing.sh', 'bin/missing.sh'],
    ['npm start', 'package.json'],
    ['node --run start', 'package.json'],
  ])('%s: %s', (line, missing) => {
    const cwd = folderWith(files);
    expect(missingFileOf(errorOf(() => fileOf(cwd, line)))).toEqual({
      path: join(cwd, missing),
      isRelative: true,
    });
  });

  it.each<[string, string]>([
    ['node /opt/gone/app.js', '/opt/gone/app.js'],
    ['npm --prefix /opt/gone start', '/opt/gone/package.json'],
  ])('%s: %s, wherever the working directory is', (line, path) => {
    expect(missingFileOf(errorOf(() => fileOf(folderWith(files), line)))).toEqual({
      path,
      isRelative: false,
    });
  });

  it.each([
    'node -e 1',
    'python3 -m http.server',
    'bun run start',
    'ruby -S puma',
    'bash missing.sh',
    'env -C web node app.js',
    'node --option-of-tomorrow value.x web/app.js',
  ])('there is none, as far as it can be known, for %s', (line) => {
    const cwd = folderWith(files);
    expect(missingFileOf(errorOf(() => fileOf(cwd, line)))).toBeNull();
  });
});
