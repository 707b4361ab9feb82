// Config files with which nothing can be started: each problem is one line with its place, the exit code is 2, and nothing has been started. For an
// update they are refused in the same way, and nothing has changed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/master/config/files/read-config.ts';
import { installForAll, type Installed } from '../helpers/install-for-all.ts';
import { isRoot } from '../helpers/required-programs.ts';
import { ask } from '../../src/shared/ask-master.ts';
import { routes } from '../../src/shared/control-api.ts';
import { describeProblemAndHint } from '../../src/shared/describe-problem.ts';
import { GracefulRunError } from '../../src/shared/errors.ts';
import { eventually } from '../helpers/eventually.ts';
import { whoAnswers } from '../helpers/plain-client.ts';
import { gracefulctl } from '../helpers/run-gracefulctl.ts';
import { app, type RunningMaster, runMaster, temporaryFolder } from '../helpers/run-master.ts';

const executable = new URL('../../bin/graceful-run.cjs', import.meta.url).pathname;

interface Outcome {
  readonly code: number | null;
  readonly lines: readonly string[];
}

type Files = Readonly<Record<string, string | Uint8Array | ((path: string) => void)>>;

const nobody = 65_534;

/** Runs `graceful-run -c <first file>` in a folder with these files; with `as`, as the user nobody. */
async function run(files: Files, args?: readonly string[], as?: Installed): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'gr-plans-'));
  if (as !== undefined) chownSync(folder, nobody, nobody);
  try {
    return await runIn(folder, files, args, as);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  files: Files,
  args?: readonly string[],
  as?: Installed,
): Promise<Outcome> {
  put(folder, files);
  const words = args ?? ['-c', Object.keys(files)[0] ?? ''];
  const child = spawn(as?.node ?? process.execPath, [as?.executable ?? executable, ...words], {
    cwd: folder,
    ...(as === undefined ? {} : { uid: nobody, gid: nobody }),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PWD: folder,
      GRACEFUL_RUN_CONTROL_FOLDER: join(folder, 'control'),
      SECRET: 'hunter2',
    },
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  expect(output).toBe('');
  expect(errors).not.toContain('hunter2');
  expect(existsSync(join(folder, 'started'))).toBe(false);
  expect(existsSync(join(folder, 'control')) ? readdirSync(join(folder, 'control')) : []).toEqual([]);
  return { code: child.exitCode, lines: errors.split('\n').filter((line) => line !== '') };
}

function put(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'function') content(path);
    else writeFileSync(path, content);
  }
}

/** The name of the file that the master is started with. */
function mainFile(files: Files): string {
  const [first = ''] = Object.keys(files);
  return first === 'b.toml' ? 'a.toml' : first;
}

/** The lines, each of them cut to the problem that is expected there if it begins with that. */
function matched(lines: readonly string[], problems: readonly string[]): readonly string[] {
  return lines.map((line, index) =>
    line.startsWith(problems[index] ?? '-') ? (problems[index] ?? '') : line,
  );
}

/** A program that would leave a trace. */
const shop = '[program.shop]\ncommand = "touch started"\nport = 0\n';
const api = '[program.api]\ncommand = "touch started"\n';

const broken: readonly (readonly [title: string, files: Files, problems: readonly string[]])[] = [
  ['TOML without a value', { 'a.toml': 'x =\n' }, ['a.toml:1:']],
  ['TOML with an open string', { 'a.toml': `${shop}host = "127.0.0.1\n` }, ['a.toml:4:']],
  ['TOML with an open list', { 'a.toml': 'include = [\n' }, ['a.toml:']],
  ['TOML with a table twice', { 'a.toml': `${shop}[program.shop]\n` }, ['a.toml:4:']],
  ['TOML with a key twice', { 'a.toml': `${shop}port = 1\n` }, ['a.toml:4:1']],
  ["a section as Supervisor's", { 'a.toml': '[program:shop]\ncommand = "x"\n' }, ['a.toml:1:9']],
  ['YAML in a .toml file', { 'a.toml': 'program:\n  shop:\n    port: 1\n' }, ['a.toml:1:8']],
  ['JSON in a .toml file', { 'a.toml': '{\n"program": {}}\n' }, ['a.toml:1:1']],
  ['thousands of open brackets in TOML', { 'a.toml': `a = ${'['.repeat(50_000)}` }, ['a.toml']],
  ['thousands of brackets in TOML', { 'a.toml': `a = ${'['.repeat(5_000)}${']'.repeat(5_000)}` }, ['a.toml']],
  [
    'YAML with a wrong indentation',
    { 'a.yaml': 'program:\n  shop:\n    port: 1\n   command: x\n' },
    ['a.yaml:4:'],
  ],
  ['YAML that is indented by tabs', { 'a.yaml': 'program:\n\tshop:\n' }, ['a.yaml:2:']],
  ['YAML with a key twice', { 'a.yaml': 'program: {}\nprogram: {}\n' }, ['a.yaml:2:1']],
  ['YAML of two documents', { 'a.yaml': 'program: {}\n---\nprogram: {}\n' }, ['a.yaml:2:1']],
  ['YAML with an alias of nothing', { 'a.yaml': 'program: *nothing\n' }, ['a.yaml:1:10']],
  ['YAML with an alias in its own anchor', { 'a.yaml': 'program: &p\n  shop: *p\n' }, ['a.yaml:2:9']],
  [
    'YAML with a bomb of aliases',
    {
      'a.yaml': Array.from(
        { length: 12 },
        (_, i) =>
          `a${i}: &a${i} [${
            i === 0
              ? 'x'
              : Array(9)
                  .fill(`*a${i - 1}`)
                  .join(', ')
          }]`,
      ).join('\n'),
    },
    ['a.yaml:'],
  ],
  ['YAML with an unknown tag', { 'a.yaml': 'program: !secret x\n' }, ['a.yaml:1:10']],
  ['YAML with a merge of a word', { 'a.yaml': 'program:\n  <<: x\n' }, ['a.yaml:2:3']],
  ['YAML with a table for a key', { 'a.yaml': '? {a: b}\n: c\n' }, ['a.yaml:1:3']],
  ['thousands of brackets in YAML', { 'a.yaml': `a: ${'['.repeat(20_000)}` }, ['a.yaml']],
  ['JSON without an end', { 'a.json': '{"program": {' }, ['a.json:1:14']],
  ['JSON with a comma too many', { 'a.json': '{"program": {},\n}' }, ['a.json:2:1']],
  ['JSON with a comment', { 'a.json': '{\n// no\n"program": {}}' }, ['a.json:2:1']],
  ['JSON with single quotes', { 'a.json': "{'program': {}}" }, ['a.json:1:2']],
  ['JSON with a key twice', { 'a.json': '{"program": {},\n "program": {}}' }, ['a.json:2:2']],
  ['JSON that is a list', { 'a.json': '[]' }, ['a.json:1:1']],
  ['JSON that is a text', { 'a.json': '"x"' }, ['a.json:1:1']],
  ['an empty JSON file', { 'a.json': '' }, ['a.json:1:1']],
  ['thousands of brackets in JSON', { 'a.json': '['.repeat(100_000) }, ['a.json']],
];

const unreadable: typeof broken = [
  ['a file that is not there', { 'b.toml': shop }, ['a.toml']],
  [
    'a folder',
    {
      'a.toml': (path) => {
        mkdirSync(path);
      },
    },
    ['a.toml'],
  ],
  ['a pipe', { 'a.toml': (path) => void execFileSync('mkfifo', [path]) }, ['a.toml']],
  [
    'a device',
    {
      'a.toml': (path) => {
        symlinkSync('/dev/zero', path);
      },
    },
    ['a.toml'],
  ],
  [
    'a link to nothing',
    {
      'a.toml': (path) => {
        symlinkSync('nothing', path);
      },
    },
    ['a.toml'],
  ],
  [
    'a link to itself',
    {
      'a.toml': (path) => {
        symlinkSync('a.toml', path);
      },
    },
    ['a.toml'],
  ],
  ['a file of more than 4 MB', { 'a.toml': '#\n'.repeat(2_200_000) }, ['a.toml']],
  ['a binary file', { 'a.toml': Uint8Array.from({ length: 300 }, (_, i) => i % 256) }, ['a.toml']],
  ['a file with NUL characters', { 'a.toml': 'a = "\0"\n' }, ['a.toml']],
  ['a file in UTF-16', { 'a.toml': Buffer.from(`\ufeff${shop}`, 'utf16le') }, ['a.toml']],
  ['a file in Latin-1', { 'a.toml': Buffer.from('# caf\xe9\n', 'latin1') }, ['a.toml']],
  ['a format that there is not', { 'a.ini': shop }, ['a.ini']],
  ['a name without an ending', { graceful: shop }, ['graceful']],
];

const values: typeof broken = [
  ['an empty file', { 'a.toml': '' }, ['a.toml']],
  ['an empty YAML file', { 'a.yaml': '# nothing\n' }, ['a.yaml']],
  ['no program', { 'a.toml': '[master]\nname = "x"\n' }, ['a.toml']],
  ['an unknown key of the file', { 'a.toml': `programs = 1\n${shop}` }, ['a.toml:1:1: programs']],
  ['an unknown key of a program', { 'a.toml': `${shop}prot = 1\n` }, ['a.toml:4:1: program.shop.prot']],
  ["another tool's key", { 'a.toml': `${shop}instances = 2\n` }, ['a.toml:4:1: program.shop.instances']],
  ['an unknown key of the master', { 'a.toml': `${shop}[master]\nlog = 1\n` }, ['a.toml:5:1: master.log']],
  ['a port in the defaults', { 'a.toml': `${shop}[defaults]\nport = 1\n` }, ['a.toml:5:1: defaults.port']],
  ['a program without a name', { 'a.toml': '[program]\ncommand = "x"\n' }, ['a.toml:2:1: program.command']],
  ['a list of programs', { 'a.toml': '[[program]]\ncommand = "x"\n' }, ['a.toml:1:3: program']],
  [
    'a name with a space',
    { 'a.toml': '[program."my shop"]\ncommand = "x"\nport = 1\n' },
    ['a.toml:1:10: program."my shop"'],
  ],
  [
    'a name of 65 letters',
    { 'a.yaml': `program:\n  ${'x'.repeat(65)}: {command: x, port: 1}\n` },
    ['a.yaml:2:3: program.'],
  ],
  ['no command', { 'a.toml': '[program.shop]\nport = 1\n' }, ['a.toml:1:10: program.shop']],
  [
    'an empty command',
    { 'a.toml': shop.replace('"touch started"', '[]') },
    ['a.toml:2:11: program.shop.command'],
  ],
  [
    'a number as a command',
    { 'a.toml': shop.replace('"touch started"', '7') },
    ['a.toml:2:11: program.shop.command'],
  ],
  [
    'a command that needs a shell',
    { 'a.toml': shop.replace('touch', 'cd x && touch') },
    ['a.toml:2:11: program.shop.command'],
  ],
  [
    'a command with an open quote',
    { 'a.toml': shop.replace('touch', "'touch") },
    ['a.toml:2:11: program.shop.command'],
  ],
  [
    'a command with a redirection',
    { 'a.toml': shop.replace('started', 'started > log') },
    ['a.toml:2:11: program.shop.command'],
  ],
  [
    'a command that sets a variable',
    { 'a.toml': shop.replace('touch', 'A=1 touch') },
    ['a.toml:2:11: program.shop.command'],
  ],
  ['no listener', { 'a.toml': '[program.shop]\ncommand = "touch started"\n' }, ['a.toml:1:10: program.shop']],
  [
    'a port that is too high',
    { 'a.toml': shop.replace('= 0', '= 70000') },
    ['a.toml:3:8: program.shop.port'],
  ],
  ['a port that is a word', { 'a.toml': shop.replace('= 0', '= "http"') }, ['a.toml:3:8: program.shop.port']],
  [
    'a port that is a date',
    { 'a.toml': shop.replace('= 0', '= 1979-05-27') },
    ['a.toml:3:8: program.shop.port'],
  ],
  [
    'a port without a value',
    { 'a.yaml': 'program:\n  shop:\n    command: x\n    port:\n' },
    ['a.yaml:4:10: program.shop.port'],
  ],
  ['a port and listen', { 'a.toml': `${shop}listen = ["1"]\n` }, ['a.toml:3:8: program.shop.port']],
  [
    'an address that is none',
    { 'a.toml': `${api}listen = ["3000", "x:y"]\n` },
    ['a.toml:3:19: program.api.listen[1]'],
  ],
  [
    'a duration without a unit',
    { 'a.toml': `${shop}ready_timeout = 30\n` },
    ['a.toml:4:17: program.shop.ready_timeout'],
  ],
  [
    'a duration of two days',
    { 'a.toml': `${shop}drain_timeout = "48h"\n` },
    ['a.toml:4:17: program.shop.drain_timeout'],
  ],
  ['workers: no number', { 'a.toml': `${shop}workers = "many"\n` }, ['a.toml:4:11: program.shop.workers']],
  ['workers: too many', { 'a.toml': `${shop}workers = 5000\n` }, ['a.toml:4:11: program.shop.workers']],
  [
    'yes for true',
    { 'a.yaml': 'program:\n  shop: {command: x, port: 0, migrate: yes}\n' },
    ['a.yaml:2:40: program.shop.migrate'],
  ],
  ['a warm-up without a path', { 'a.toml': `${shop}warmup = 5\n` }, ['a.toml:4:10: program.shop.warmup']],
  [
    'a variable that is a list',
    { 'a.toml': `${shop}environment = { A = ["hunter2"] }\n` },
    ['a.toml:4:21: program.shop.environment.A'],
  ],
  [
    'a log level that there is not',
    { 'a.toml': `${shop}[master]\nlog_level = "warning"\n` },
    ['a.toml:5:13: master.log_level'],
  ],
  [
    'a variable that is not set',
    { 'a.toml': `${shop}host = "$\{NOT_SET}"\n` },
    ['a.toml:4:8: program.shop.host'],
  ],
  [
    'a secret that is no port',
    { 'a.toml': shop.replace('= 0', '= "${SECRET}"') },
    ['a.toml:3:8: program.shop.port'],
  ],
  ['an open variable', { 'a.toml': `${shop}host = "$\{NOT_SET"\n` }, ['a.toml:4:8: program.shop.host']],
  [
    'a placeholder that there is not',
    { 'a.toml': `${shop}directory = "{nmae}"\n` },
    ['a.toml:4:13: program.shop.directory'],
  ],
  [
    'a name outside of a program',
    { 'a.toml': `${shop}[master]\nname = "{name}"\n` },
    ['a.toml:5:8: master.name'],
  ],
  ['a NUL character', { 'a.toml': `${shop}host = "a\\u0000b"\n` }, ['a.toml:4:8: program.shop.host']],
  [
    'lines that end in CRLF',
    { 'a.toml': `${shop}prot = 1\n`.replaceAll('\n', '\r\n') },
    ['a.toml:4:1: program.shop.prot'],
  ],
  [
    'a byte order mark',
    { 'a.toml': `\ufeff[program.shop]\nprot = 1\n` },
    ['a.toml:1:10: program.shop', 'a.toml:2:1: program.shop.prot'],
  ],
  [
    'several problems',
    { 'a.toml': `${shop}workers = 0\nprobation = 3\n[defaults]\nbacklog = "x"\n[program.api]\nwatch = 5\n` },
    [
      'a.toml:4:11: program.shop.workers',
      'a.toml:5:13: program.shop.probation',
      'a.toml:7:11: defaults.backlog',
      'a.toml:8:10: program.api',
      'a.toml:8:10: program.api',
      'a.toml:9:9: program.api.watch',
    ],
  ],
];

const together: typeof broken = [
  [
    'two programs on one port',
    { 'a.toml': `[program.shop]\ncommand = "touch started"\nport = 3000\n${api}port = 3000\n` },
    ['a.toml:6:8: program.api.port'],
  ],
  [
    'a wildcard beside an address',
    { 'a.toml': `${api}listen = ["127.0.0.1:3000", "0.0.0.0:3001", "[::1]:3001", "[::]:3000"]\n` },
    ['a.toml:3:59: program.api.listen[3]'],
  ],
  [
    'options that do not fit the type of a program',
    {
      'a.toml': `[program.a]\ntype = "worker"\ncommand = "x"\nschedule = "@daily"\n[program.b]\ntype = "oneshot"\ncommand = "x"\nwatchdog = "3s"\n${shop}overlap = false\n`,
    },
    [
      'a.toml:4:12: program.a.schedule: does not fit',
      'a.toml:8:12: program.b.watchdog: does not fit',
      'a.toml:12:11: program.shop.overlap: does not fit',
    ],
  ],
  [
    'options of one program that do not fit, beside a wrong value',
    {
      'a.toml': `[program.a]\ntype = "worker"\ncommand = "x"\nport = 3000\nschedule = "@daily"\nmax_requests = 5\nnice = "x"\n`,
    },
    [
      'a.toml:4:8: program.a.port: does not fit',
      'a.toml:5:12: program.a.schedule: does not fit',
      'a.toml:6:16: program.a.max_requests: does not fit',
      'a.toml:7:8: program.a.nice: must be',
    ],
  ],
  [
    'options of one reload that contradict each other',
    {
      'a.toml': `${shop}rollback_on = "5xx > 5% over 10s"\nprobation = "0s"\nmax_unavailable = 1\nrollout_pause = "1s"\ncanary_time = "5s"\n`,
    },
    [
      'a.toml:4:15: program.shop.rollback_on: needs a probation',
      'a.toml:6:19: program.shop.max_unavailable: has no effect',
      'a.toml:7:17: program.shop.rollout_pause: has no effect',
      'a.toml:8:15: program.shop.canary_time: has no effect without a canary',
    ],
  ],
  [
    'a dependency that there is not',
    { 'a.toml': `${shop}depends_on = ["shopp"]\n` },
    ['a.toml:4:15: program.shop.depends_on[0]'],
  ],
  [
    'a dependency of itself',
    { 'a.toml': `${shop}depends_on = ["shop"]\n` },
    ['a.toml:4:15: program.shop.depends_on[0]'],
  ],
  [
    'a cycle of dependencies',
    { 'a.toml': `${shop}depends_on = ["api"]\n${api}port = 0\ndepends_on = ["shop"]\n` },
    ['a.toml:4:15: program.shop.depends_on[0]'],
  ],
  [
    'one name in two files',
    { 'a.toml': `include = ["b.yaml"]\n${shop}`, 'b.yaml': 'program:\n  shop: {command: x, port: 0}\n' },
    ['b.yaml:2:3: program.shop'],
  ],
  [
    'a program with nothing that it needs, beside what else is wrong with it',
    { 'a.toml': '[program.shop]\nworkers = 0\n' },
    ['a.toml:1:10: program.shop', 'a.toml:1:10: program.shop', 'a.toml:2:11: program.shop.workers'],
  ],
  [
    'what stands in a program with a bad name',
    { 'a.toml': '[program."a b"]\ncommand = 5\nprot = 1\n' },
    ['a.toml:1:10: program."a b"', 'a.toml:2:11: program."a b".command', 'a.toml:3:1: program."a b".prot'],
  ],
  [
    'programs that have faults of their own and do not go together',
    {
      'a.toml':
        '[program.shop]\nport = 3000\ndepends_on = ["api", "db"]\n' +
        '[program.api]\ncommand = 5\nport = 3000\ndepends_on = ["shop"]\n',
    },
    [
      'a.toml:1:10: program.shop',
      'a.toml:3:15: program.shop.depends_on[0]',
      'a.toml:3:22: program.shop.depends_on[1]',
      'a.toml:5:11: program.api.command',
      'a.toml:6:8: program.api.port',
    ],
  ],
  ['an include of itself', { 'a.toml': `include = ["a.toml"]\n${shop}` }, ['a.toml:1:12: include[0]']],
  [
    'a circle of includes',
    {
      'a.toml': `include = ["b.toml"]\n${shop}`,
      'b.toml': 'include = ["c.toml"]\n',
      'c.toml': 'include = ["a.toml"]\n',
    },
    ['c.toml:1:12: include[0]'],
  ],
  [
    'a file that is included twice',
    { 'a.toml': 'include = ["b.toml", "*b.toml"]\n', 'b.toml': shop },
    ['a.toml:1:22: include[1]'],
  ],
  ['an include that is not there', { 'a.toml': `include = ["b.toml"]\n${shop}` }, ['b.toml']],
  [
    'an include that is broken',
    { 'a.toml': `include = ["*.json"]\n${shop}`, 'b.json': '{,}' },
    ['b.json:1:2'],
  ],
  ['an include that is a text', { 'a.toml': `include = "b.toml"\n${shop}` }, ['a.toml:1:11: include']],
  [
    'a master in an included file',
    { 'a.toml': `include = ["b.toml"]\n${shop}`, 'b.toml': '[master]\n' },
    ['b.toml:1:2: master'],
  ],
  [
    'problems in two files',
    {
      'a.toml': `include = ["c/*.toml"]\n${shop}x = 1\n`,
      'c/1.toml': 'y =\n',
      'c/2.toml': '[program.api]\ncommand = "x"\nport = "y"\n',
    },
    ['a.toml:5:1: program.shop.x', 'c/2.toml:3:8: program.api.port', 'c/1.toml:1:'],
  ],
  [
    'a wrong default in another file, once for all programs',
    {
      'a.toml': 'include = ["b.toml", "c.toml"]\n[defaults]\nprobation = "x"\n',
      'b.toml': shop,
      'c.toml': `${api}port = 0\n`,
    },
    ['a.toml:3:13: defaults.probation'],
  ],
];

const programs: typeof broken = [
  ['a module that throws', { 'a.mjs': "\nthrow new Error('no');\n" }, ['a.mjs:2:']],
  ['a module with a syntax error', { 'a.cjs': 'module.exports = {\n  a: ]\n};\n' }, ['a.cjs:2:']],
  ['a module without a default export', { 'a.mjs': 'export const program = {};\n' }, ['a.mjs']],
  ['a module that exports a number', { 'a.mjs': 'export default 7;\n' }, ['a.mjs']],
  ['a module that imports what is not there', { 'a.mjs': "import './nothing.mjs';\n" }, ['a.mjs']],
  [
    'a function that throws',
    { 'a.cjs': "module.exports = () => {\n  throw new TypeError('no');\n};\n" },
    ['a.cjs:2:'],
  ],
  [
    'a function that rejects',
    { 'a.mjs': "export default async () => {\n  throw new Error('no');\n};\n" },
    ['a.mjs:2:'],
  ],
  [
    'a module that throws later',
    { 'a.mjs': "setTimeout(() => {\n  throw new Error('no');\n}, 1);\nawait new Promise(() => {});\n" },
    ['a.mjs:2:'],
  ],
  ['a module that waits for ever', { 'a.mjs': 'export default new Promise(() => {});\n' }, ['a.mjs']],
  ['a module that exits', { 'a.mjs': 'process.exit(0);\n' }, ['a.mjs']],
  [
    'a module that kills its process',
    {
      'a.mjs':
        "process.kill(process.pid, 'SIGKILL');\nawait new Promise(() => setInterval(() => {}, 1e6));\n",
    },
    ['a.mjs'],
  ],
  [
    'a module that answers by itself',
    { 'a.mjs': "import { writeSync } from 'node:fs';\nwriteSync(3, 'x');\nexport default {};\n" },
    ['a.mjs'],
  ],
  [
    'a module that exports what is no data',
    {
      'a.mjs':
        'export default { program: { shop: { command: () => 1, port: new Date(), host: new Map() } } };\n',
    },
    ['a.mjs: program.shop.command', 'a.mjs: program.shop.port', 'a.mjs: program.shop.host'],
  ],
  [
    'a module that contains itself',
    { 'a.cjs': 'const a = { master: {} };\na.program = a;\nmodule.exports = a;\n' },
    ['a.cjs: program'],
  ],
  [
    'a module whose getter throws',
    { 'a.cjs': "module.exports = {\n  get program() { throw new Error('no'); },\n};\n" },
    ['a.cjs:2:'],
  ],
];

/** What is wrong with the files, as it is told; without the processes that a start takes. */
async function read(files: Files): Promise<readonly string[]> {
  const folder = temporaryFolder();
  put(folder, files);
  const compiled = await readConfig(join(folder, mainFile(files)), { SECRET: 'hunter2' });
  const problems = 'problems' in compiled ? compiled.problems : [];
  return problems.map((problem) => describeProblemAndHint(problem, folder));
}

const texts = [
  { what: 'text that is broken', cases: broken },
  { what: 'values that are wrong', cases: values },
  { what: 'values that do not go together', cases: together },
];

describe.each(texts)('$what', ({ cases }) => {
  test.each(cases)('%s', async (_title, files, problems) => {
    const lines = await read(files);
    expect(matched(lines, problems)).toEqual(problems);
    expect(lines.join()).not.toContain('hunter2');
  });
});

// A start reads a text as `read` does, and so does an update, which gets every one of them below. So here one for each format and kind is enough.
const formats = Object.values(
  Object.fromEntries(broken.map((one) => [extname(mainFile(one[1])), one] as const)),
);

describe.concurrent.each([
  {
    what: 'texts with which a start ends',
    cases: [...formats, ...[values, together].flatMap((cases) => cases.slice(-1))],
  },
  { what: 'files that cannot be read', cases: unreadable },
  { what: 'files that are programs', cases: programs },
])('$what', ({ cases }) => {
  test.each(cases)('%s', async (_title, files, problems) => {
    const { code, lines } = await run(files, ['-c', mainFile(files)]);
    expect(matched(lines, problems)).toEqual(problems);
    expect(code).toBe(2);
  });
});

/** Files with which a master can be started, by their names. */
const good = ((): Readonly<Record<string, string>> => {
  const program = { shop: { command: app('serves'), listen: ['127.0.0.1:0'] } };
  const json = JSON.stringify({ program });
  return {
    'a.toml': `[program.shop]\ncommand = ${JSON.stringify(app('serves'))}\nlisten = ["127.0.0.1:0"]\n`,
    'a.yaml': json,
    'a.json': json,
    'a.mjs': `export default ${json};\n`,
    'a.cjs': `module.exports = ${json};\n`,
  };
})();

async function refusalOf(master: RunningMaster): Promise<GracefulRunError> {
  const request = {
    path: master.controlSocket,
    method: 'POST',
    route: routes.update,
    body: { dryRun: false },
  } as const;
  const error = await ask('update', request, [200, 409]).catch((reason: unknown) => reason);
  if (error instanceof GracefulRunError) return error;
  throw new Error('the update was not refused', { cause: error });
}

test('a running master whose file becomes any of these refuses an update, and serves as before', async () => {
  const cases = [...broken, ...unreadable, ...values, ...together, ...programs];
  const possible = cases.filter(([, files]) => Object.hasOwn(good, mainFile(files)));
  expect(cases.length - possible.length).toBe(2);
  await Promise.all(
    Object.entries(good).map(async ([name, content]) => {
      const folder = temporaryFolder();
      put(folder, { [name]: content });
      const flags = ['-c', name, '--log-format', 'json', '--log-level', 'debug'];
      const master = runMaster({
        name: 'a',
        hasOwnFlags: false,
        flags,
        command: [],
        cwd: folder,
        env: { SECRET: 'hunter2' },
      });
      const { port } = await master.waitFor('listenerBound');
      const { pid } = await master.waitFor('workerReady');
      await master.waitFor('generationReady');
      const own = possible.filter(([, files]) => mainFile(files) === name);
      for (const [title, files, problems] of own) {
        for (const old of readdirSync(folder)) rmSync(join(folder, old), { recursive: true });
        put(folder, files);
        const refusal = await refusalOf(master);
        const lines = refusal.problems.map((problem) => describeProblemAndHint(problem, folder));
        expect({ title, code: refusal.code, lines: matched(lines, problems) }).toEqual({
          title,
          code: 'planInvalid',
          lines: problems,
        });
        expect(lines.join()).not.toContain('hunter2');
        expect(existsSync(join(folder, 'started'))).toBe(false);
        expect((await whoAnswers(port ?? 0)).pid).toBe(pid);
      }
      // As an operator sees it: the last one once more.
      const { code, out, err } = await gracefulctl(['update'], { XDG_RUNTIME_DIR: master.runtime });
      expect({ code, out }).toEqual({ code: 2, out: '' });
      const [, ...lines] = err.trimEnd().replaceAll(`${folder}/`, '').split('\n');
      const [, , problems = []] = own.at(-1) ?? [];
      expect(matched(lines, problems)).toEqual(problems);
      await eventually('the log has every refusal', () => master.all('planRefused').length > own.length);
      const events = master.events.map(({ event }) => event);
      expect([...new Set(events.slice(events.indexOf('generationReady') + 1))]).toEqual(['planRefused']);
    }),
  );
}, 240_000);

test('files and folders without permission', async () => {
  const installed = isRoot ? installForAll() : undefined;
  onTestFinished(() => installed?.remove());
  const files: Files = {
    'a.toml': `include = ["b.toml", "c/*.toml"]\n${shop}`,
    'b.toml': (path) => {
      writeFileSync(path, shop, { mode: 0 });
    },
    c: (path) => {
      mkdirSync(path);
      chmodSync(path, 0);
    },
  };
  const { code, lines } = await run(files, undefined, installed);
  expect(lines.map((line) => line.split(':')[0])).toEqual(['a.toml', 'b.toml']);
  expect(code).toBe(2);
});

test('a socket', async () => {
  const { lines, code } = await run({
    'a.toml': (path) => {
      const server = createServer().listen(path);
      onTestFinished(() => {
        server.close();
      });
    },
  });
  expect(lines).toHaveLength(1);
  expect(code).toBe(2);
});

test('a config file beside a command or options of a program', async () => {
  for (const args of [
    ['-c', 'a.toml', '--port', '1'],
    ['-c', 'a.toml', '--', 'touch', 'started'],
    ['-c', 'a.toml', '--name', 'x'],
  ]) {
    const { code, lines } = await run({ 'a.toml': shop }, args);
    expect(lines[0]).toContain('a.toml');
    expect(lines).toHaveLength(2);
    expect(code).toBe(2);
  }
});

test('two config files to choose from', async () => {
  const { code, lines } = await run({ 'graceful.toml': shop, 'graceful.json': '{}' }, []);
  expect(lines[0]).toContain('graceful.toml');
  expect(lines[0]).toContain('graceful.json');
  expect(code).toBe(2);
});

test('a config file that is broken and found in the folder', async () => {
  const { code, lines } = await run({ 'graceful.yaml': 'x: 1\n' }, []);
  expect(lines.map((line) => line.split(': ')[0])).toEqual(['graceful.yaml', 'graceful.yaml:1:1']);
  expect(code).toBe(2);
});
