import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseCommandLine } from '../../../../../src/master/cli/parse-command-line.ts';
import { nameOf } from '../../../../../src/master/config/files/compile-master.ts';
import { readConfig } from '../../../../../src/master/config/files/read-config.ts';
import { compileOptions } from '../../../../../src/master/config/options.ts';
import type { Plan, ProgramPlan } from '../../../../../src/master/config/plan.ts';

interface Read {
  readonly folder: string;
  readonly plan: Plan;
  readonly program: (name: string) => ProgramPlan;
}

async function read(
  files: Readonly<Record<string, string>>,
  environment: Record<string, string> = {},
): Promise<Read> {
  const folder = mkdtempSync(join(tmpdir(), 'gr-config-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const compiled = await readConfig(join(folder, Object.keys(files)[0] ?? ''), environment);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems, null, 2));
  const { plan } = compiled;
  return {
    folder,
    plan,
    program: (name) => {
      const found = plan.programs.find((one) => one.name === name);
      if (found === undefined) throw new Error(`no program ${name}`);
      return found;
    },
  };
}

const shop = '[program.shop]\ncommand = ["node", "app.js"]\nport = 3000\n';

test('a program with nothing but what it needs', async () => {
  const { folder, plan } = await read({ 'a.toml': shop });
  expect(plan).toEqual({
    master: {
      name: 'a',
      hasControl: true,
      metrics: null,
      remembers: false,
      file: join(folder, 'a.toml'),
      logLevel: null,
      logFormat: null,
    },
    programs: [
      expect.objectContaining({
        name: 'shop',
        command: ['node', 'app.js'],
        listeners: [expect.objectContaining({ host: null, port: 3000, backlog: 4096 })],
        workers: 1,
        cwd: folder,
        environment: {},
        environmentFile: null,
        watch: null,
        readyTimeoutMs: 30_000,
        drainTimeoutMs: 30_000,
        probationMs: 2_000,
        autostart: true,
        dependsOn: [],
      }),
    ],
  });
});

test('defaults apply to every program, and its own values win', async () => {
  const { program } = await read({
    'a.toml':
      '[defaults]\nworkers = 3\nprobation = "5s"\nenvironment = { A = "1", B = "{name}" }\n' +
      `${shop}workers = 1\nenvironment = { A = "2" }\n[program.api]\ncommand = "x"\nport = 0\n`,
  });
  expect(program('shop')).toMatchObject({
    workers: 1,
    probationMs: 5_000,
    environment: { A: '2', B: 'shop' },
  });
  expect(program('api')).toMatchObject({ workers: 3, environment: { A: '1', B: 'api' } });
});

test('relative paths start at the folder of the file that says them', async () => {
  const { folder, program } = await read({
    'a.toml':
      'include = ["conf.d/*.toml"]\n[defaults]\nenv_file = "common.env"\nenvironment = { HERE = "{here}" }\n',
    'conf.d/shop.toml': `${shop}directory = "../shop"\nwatch = ["lib", "/abs"]\n`,
  });
  expect(program('shop')).toMatchObject({
    cwd: join(folder, 'shop'),
    environmentFile: join(folder, 'common.env'),
    environment: { HERE: folder },
    watch: [join(folder, 'conf.d/lib'), '/abs'],
  });
});

test('defaults of an included file are for its programs only', async () => {
  const { program } = await read({
    'a.toml': `include = ["b.yaml"]\n[defaults]\nworkers = 2\nwarmup = 0\n${shop}`,
    'b.yaml': 'defaults:\n  workers: 4\nprogram:\n  api: {command: x, port: 0}\n',
  });
  expect([program('shop').workers, program('api').workers]).toEqual([2, 4]);
});

test('includes are read in the order of their names, from several patterns and formats', async () => {
  const { plan } = await read({
    'a.toml': `include = ["d/**/*.toml", "{x,y}.json", "none/*.toml"]\n${shop}`,
    'd/2.toml': '[program.two]\ncommand = "x"\nport = 0\n',
    'd/1/1.toml': '[program.one]\ncommand = "x"\nport = 0\n',
    'd/.hidden.toml': 'broken',
    'y.json': '{"program": {"y": {"command": "x", "port": 0}}}',
    'x.json': '{"program": {"x": {"command": "x", "port": 0}}}',
  });
  expect(plan.programs.map(({ name }) => name)).toEqual(['shop', 'one', 'two', 'x', 'y']);
});

test('a command as one text is split like the words of a shell', async () => {
  const { program } = await read(
    { 'a.toml': shop.replace('["node", "app.js"]', `"node 'a b.js' --x=\\"y z\\" \${A}"`) },
    { A: 'c d' },
  );
  expect(program('shop').command).toEqual(['node', 'a b.js', '--x=y z', 'c', 'd']);
});

test('numbers and booleans may come from variables', async () => {
  const { program } = await read(
    {
      'a.toml':
        shop.replace('3000', '"${PORT:-8080}"') +
        'workers = "${WORKERS}"\nmigrate = "${MIGRATE}"\nwatch = "true"\n',
    },
    { WORKERS: 'auto', MIGRATE: 'false' },
  );
  expect(program('shop').listeners[0]).toMatchObject({ port: 8080 });
  expect(program('shop').workers).toBeGreaterThan(0);
  expect(program('shop')).toMatchObject({ watch: [], workerKind: { migrates: false } });
});

test('listen gives several listeners, and host is for those without an address', async () => {
  const { program } = await read({
    'a.toml': shop.replace('port = 3000', 'host = "::1"\nlisten = ["3000", "admin=127.0.0.1:0", "x=3001"]'),
  });
  expect(program('shop').listeners).toMatchObject([
    { host: '::1', port: 3000 },
    { name: 'admin', host: '127.0.0.1', port: 0 },
    { name: 'x', host: '::1', port: 3001 },
  ]);
});

test('a host of [defaults] means nothing to a program without an address', async () => {
  const { program } = await read({
    'a.toml': `[defaults]\nhost = "::1"\n${shop}[program.mail]\ncommand = "x"\ntype = "worker"\n`,
  });
  expect(program('shop').listeners).toMatchObject([{ host: '::1' }]);
  expect(program('mail').listeners).toEqual([]);
});

test('a byte order mark, CRLF and a $schema', async () => {
  const { program } = await read({
    'a.json': '\ufeff{\r\n"$schema": "x",\r\n"program":{"shop":{"command":"x","port":1}}}\r\n',
  });
  expect(program('shop').listeners[0]).toMatchObject({ port: 1 });
});

test.each([
  ['/etc/shop.toml', 'shop'],
  ['/srv/my shop/graceful.yaml', 'my-shop'],
  ['/srv/..x/graceful.toml', 'x'],
  ['/graceful.toml', 'graceful'],
  ['/é.toml', 'graceful'],
  [`/${'x'.repeat(80)}.toml`, 'x'.repeat(64)],
  ['/a.b.toml', 'a.b'],
])('the master of %s is called %s', (file, name) => {
  expect(nameOf(file)).toBe(name);
});

test('a mistyped key of the address is one problem', async () => {
  const text = '[program.shop]\ncommand = ["node", "app.js"]\nprot = 3000\n';
  await expect(read({ 'a.toml': text })).rejects.toThrow(
    /^\[\s+\{[^}]*"key": "program\.shop\.prot"[^}]*\}\s+\]$/,
  );
});

test.each([
  ['drain_timeout = 20', '20s'],
  ['probation = "1500"', '1500ms'],
  ['ready = "9000"', 'tcp:9000'],
  ['keepalive = 60', '60s'],
])('%s is refused with the value that was probably meant', async (line, meant) => {
  await expect(read({ 'a.toml': `${shop}${line}\n` })).rejects.toThrow(`did you mean \\"${meant}\\"?`);
});

test('what a variable holds is in no hint', async () => {
  const text = `${shop}drain_timeout = "\${SECRET}"\n`;
  await expect(read({ 'a.toml': text }, { SECRET: '4711' })).rejects.not.toThrow('4711');
});

test.each([
  ['a delay that no worker can wait for', ['ready_timeout = "5s"', 'ready = "delay:5s"'], 5],
  ['a descriptor that is a listener', ['ready = "fd:4"'], 4],
  ['a path that is asked over UDP', ['listen = ["udp:127.0.0.1:53"]', 'ready = "http:/up"'], 4],
])('%s is refused at its place', async (_, lines, line) => {
  const folder = mkdtempSync(join(tmpdir(), 'gr-config-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const address = lines.some((one) => one.startsWith('listen')) ? [] : ['port = 3000'];
  const file = join(folder, 'a.toml');
  writeFileSync(file, ['[program.shop]', 'command = ["sh"]', ...address, ...lines].join('\n'));
  expect(await readConfig(file, {})).toMatchObject({
    problems: [{ file, line, column: 9, key: 'program.shop.ready' }],
  });
});

test.each([
  ['auto', { when: 'auto' }],
  ['listen', { when: 'listens' }],
  ['message', { when: 'sendsMessage' }],
  ['notify', { when: 'notifies' }],
  ['fd:5', { when: 'writesNewline', fd: 5 }],
  ['exec:./is-healthy now', { when: 'commandSucceeds', command: './is-healthy now' }],
  ['delay:2s', { when: 'lives', delayMs: 2_000 }],
  ['tcp:9000', { when: 'connects', port: 9_000 }],
  ['http:/up?deep=1', { when: 'answers', path: '/up?deep=1', warmup: 0 }],
  ['http://[::1]:9000/up', { when: 'answersAt', host: '::1', port: 9_000, path: '/up' }],
])('a worker is ready by %s in a file as on the command line', async (ready, readiness) => {
  const { program } = await read({ 'a.toml': `${shop}ready = "${ready}"\n` });
  const invocation = parseCommandLine(['--port', '3000', '--ready', ready, '--', 'node', 'app.js']);
  const [ofLine] = 'options' in invocation ? compileOptions(invocation.options, '/srv').programs : [];
  expect(program('shop').workerKind.readiness).toEqual(readiness);
  expect(ofLine?.workerKind.readiness).toEqual(readiness);
});
