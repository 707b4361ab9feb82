// What starts the program instead of being it: package managers, shells and the like. Whatever it is, the process at the end of the chain gets the
// listener, serves, drains, is known, and is missed when it ends.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { get } from '../helpers/plain-client.ts';
import { canRun, mayRun } from '../helpers/required-programs.ts';
import { appPath, kill, runMaster, temporaryFolder, type RunOptions } from '../helpers/run-master.ts';
import { startLoad } from '../helpers/strict-client.ts';
import { failureCounts } from '../helpers/tally.ts';

const root = new URL('../../', import.meta.url).pathname;
const cwd = `${root}test/fixtures/launched`;
const server = join(cwd, 'server.cjs');
const python = ['python3', appPath('serves').replace(/cjs$/, 'py'), '{fd}'];

/** Installed by scripts/install-launchers.js. */
const installed = `${root}.matrix/launchers/node_modules`;
const platform = `${process.platform}-${process.arch}`;
const launchers = {
  yarn: `${installed}/yarn/bin/yarn.js`,
  yarnBerry: `${installed}/@yarnpkg/cli-dist/bin/yarn.js`,
  pnpm: `${installed}/@pnpm/exe.${platform}/pnpm`,
  pnpm10: `${installed}/pnpm-10/bin/pnpm.cjs`,
  bun: `${installed}/@oven/bun-${platform.replace('arm64', 'aarch64')}/bin/bun`,
  deno: `${installed}/@deno/${platform}-glibc/deno`,
  node22: `${installed}/node-${platform}/bin/node`,
};

interface Launch extends RunOptions {
  readonly command: readonly string[];
  /** It becomes the program, or is the program's Node.js: there is no other process. */
  readonly isServer?: boolean;
}

const answersBetween = 20;

const sh = (line: string): readonly string[] => ['sh', '-c', line];

/** Those that start Node.js. */
const forNode: Readonly<Record<string, Launch>> = {
  'npm start': { command: ['npm', 'start'] },
  'npm run': { command: ['npm', 'run', 'start'] },
  'npx tsx': { command: ['npx', 'tsx', 'app.ts'] },
  tsx: { command: [`${root}node_modules/.bin/tsx`, 'app.ts'] },
  'yarn start': { command: ['node', launchers.yarn, 'start'] },
  'yarn start (Berry)': { command: ['node', launchers.yarnBerry, 'start'] },
  'pnpm start': { command: [launchers.pnpm, 'start'] },
  'pnpm start (10)': { command: ['node', launchers.pnpm10, 'start'] },
  'node --run': { command: [launchers.node22, '--run', 'start'] },
  'bun run': { command: [launchers.bun, 'run', 'start'] },
  'deno task': { command: [launchers.deno, 'task', 'start'] },
};

/** Those that start anything. */
function forAny(program: readonly string[]): Readonly<Record<string, Launch>> {
  const line = program.join(' ');
  return {
    'a script with exec': { command: ['./becomes.sh', ...program], isServer: true },
    'a script without exec': { command: ['./waits.sh', ...program] },
    'a script in a script': { command: ['./waits.sh', './waits.sh', ...program] },
    env: { command: ['env', 'A=1', ...program], isServer: true },
    nice: { command: ['nice', '-n', '1', ...program], isServer: true },
    nohup: { command: ['nohup', ...program], isServer: true },
    time: { command: ['time', ...program] },
    timeout: { command: ['timeout', '60', ...program] },
    tini: { command: ['tini', '-s', '--', ...program] },
    'sh -c with exec': { command: sh(`exec ${line}`), isServer: true },
    'sh -c without exec': { command: sh(`${line}; true`) },
    'dash -c': { command: ['dash', '-c', `${line}; true`] },
    'bash -c': { command: ['bash', '-c', `${line}; true`] },
    'bash with time': { command: ['bash', '-c', `time ${line}`] },
  };
}

/** Those of other languages that package managers start: only the operator knows when they are ready. */
const forPython: Readonly<Record<string, Launch>> = Object.fromEntries(
  Object.entries({
    'npm run': ['npm', 'run', 'python'],
    'yarn run': ['node', launchers.yarn, 'python'],
    'pnpm run': [launchers.pnpm, 'python'],
    'node --run': [launchers.node22, '--run', 'python'],
    'bun run': [launchers.bun, 'run', 'python'],
    'deno task': [launchers.deno, 'task', 'python'],
  }).map(([name, command]) => [name, { command, flags: ['--ready', 'delay:900ms'] }]),
);

const isThere = ({ command }: Launch, language: string): boolean =>
  command.every((word) => !word.startsWith(installed) || existsSync(word)) &&
  canRun([
    ...command.slice(0, 1).filter((file) => !file.includes('/')),
    ...(language === 'python' ? ['python3'] : []),
  ]);

/** Berry starts only what it has installed itself. */
function installedByBerry(): string {
  const folder = temporaryFolder();
  cpSync(cwd, folder, { recursive: true });
  writeFileSync(join(folder, 'yarn.lock'), '');
  const env = { ...process.env, YARN_ENABLE_NETWORK: '0', YARN_ENABLE_TELEMETRY: '0' };
  execFileSync('node', [launchers.yarnBerry, 'install', '--no-immutable'], {
    cwd: folder,
    env,
    stdio: 'ignore',
  });
  return folder;
}

describe.each([
  ['node', { ...forNode, ...forAny(['node', server]) }, 'keepAlive'],
  ['python', { ...forPython, ...forAny(python) }, 'fresh'],
] as const)('%s', (language, all, mode) => {
  for (const [name, { isServer = false, ...launch }] of Object.entries(all)) {
    const runsHere = test.runIf(mayRun(isThere(launch, language)));
    const options = {
      ...launch,
      flags: ['--startsecs', '400ms', '--ready-timeout', '8s', ...(launch.flags ?? [])],
    };

    runsHere(
      `behind ${name} reloads without a failure, is known by its pid, and is missed when it ends`,
      async () => {
        const folder = launch.command.includes(launchers.yarnBerry) ? installedByBerry() : cwd;
        const master = runMaster({ ...options, cwd: folder });
        const port = await master.serving();
        const load = startLoad({ port, mode, clients: 4, paceMs: 5 });
        await load.moreAnswers(answersBetween);
        await master.reload(2);
        const { outcome } = await master.waitFor('workerExited', { generation: 1 });
        expect(outcome).toEqual({ code: 0, signal: null });
        await load.moreAnswers(answersBetween);
        const { closedIdle, examples } = await load.stop();
        expect(failureCounts(load.tally), examples.join('\n')).toEqual({});
        expect(closedIdle).toBe(0);

        const program = Number((await get(port)).body.replace(`${language} `, ''));
        // Until a script has come to its last command, another one of them is taken for the program.
        await eventually('its pid is known', async () => {
          const [worker] = (await master.status()).workers;
          return (worker?.servingPid ?? worker?.pid) === program;
        });
        const [worker] = (await master.status()).workers;
        expect(worker?.capabilities?.isGated).toBe(language === 'node');
        if (isServer) expect(worker?.servingPid).toBeNull();
        kill(program);
        await master.waitFor('restartScheduled');
        expect((await get(port)).status).toBe(200);
      },
    );
  }

  test('behind a script that lives on after it is missed all the same', async () => {
    const program = language === 'python' ? python : ['node', server];
    const master = runMaster({
      command: sh(`${program.join(' ')}; tail -f /dev/null`),
      flags: ['--startsecs', '700ms', '--ready-timeout', '4s'],
    });
    const port = await master.serving();
    const [worker] = (await master.status()).workers;
    kill(worker?.servingPid ?? -1);
    const { failure } = await master.waitFor('workerLostProgram');
    expect(failure.message).toContain(String(worker?.servingPid));
    await master.waitFor('restartScheduled');
    expect((await get(port)).status).toBe(200);
  });
});

test('a program that a script starts only after it counts as ready is known, drains, and is missed when it ends', async () => {
  const folder = temporaryFolder();
  // Without another process, which would be taken for the program.
  const master = runMaster({
    command: sh(`while [ ! -e go ]; do :; done; ${python.join(' ')}; true`),
    cwd: folder,
    flags: ['--startsecs', '100ms', '--ready-timeout', '8s'],
  });
  const port = await master.serving();
  writeFileSync(join(folder, 'go'), '');
  const pidOf = async (): Promise<number> => Number((await get(port)).body.replace('python ', ''));
  const first = await pidOf();
  await master.reload(2);
  // A shell that is signalled in its place ends at once, by that signal.
  expect(await master.waitFor('workerExited', { generation: 1 })).toMatchObject({
    from: 'draining',
    outcome: { code: 0, signal: null },
  });
  const second = await pidOf();
  expect(second).not.toBe(first);
  await eventually('its pid is known', async () => (await master.status()).workers[0]?.servingPid === second);
  kill(second);
  await master.waitFor('restartScheduled');
  expect((await get(port)).status).toBe(200);
});

test.runIf(mayRun(existsSync(launchers.node22)))(
  'a script of `node --run` gets the directory, variables and words that Node.js gives it',
  async () => {
    const words = ['--run', 'show', '--', 'a b', '$HOME', '*'];
    const folder = join(cwd, 'nested');
    const { stderr } = spawnSync(launchers.node22, words, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toContain('[a b][$HOME][*]');
    const master = runMaster({ command: [launchers.node22, ...words], cwd: folder });
    await master.closed;
    const shim = `${root}dist/worker/shim:`;
    expect(master.lines.join('\n').replace(shim, '')).toContain(stderr);
  },
);
