// Completion in the shells themselves: the script that the commands print is sourced, and a line is completed as at the prompt.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { type Shell, shells } from '../../src/shared/completion.ts';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster, temporaryFolder } from '../helpers/run-master.ts';
import { isRequired } from '../helpers/required-programs.ts';

const bashCompletion = '/usr/share/bash-completion/bash_completion';

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** The environment of a user that has installed graceful-run, and runs the two programs `shop` and `search` under a master `platform`. */
async function installed(): Promise<NodeJS.ProcessEnv> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  for (const [name, file] of [
    ['gracefulctl', 'gracefulctl.cjs'],
    ['graceful-run', 'graceful-run.cjs'],
  ] as const)
    symlinkSync(new URL(`../../bin/${file}`, import.meta.url).pathname, join(folder, 'bin', name));
  mkdirSync(join(folder, 'releases'));
  writeFileSync(join(folder, 'my app.js'), '');
  const command = JSON.stringify(app('serves'));
  writeFileSync(
    join(folder, 'platform.toml'),
    `[program.shop]\ncommand = ${command}\nport = 0\n[program.search]\ncommand = ${command}\nport = 0\n`,
  );
  const master = runMaster({
    hasOwnFlags: false,
    flags: ['-c', 'platform.toml', '--log-format', 'json'],
    command: [],
    cwd: folder,
  });
  for (const program of ['shop', 'search'])
    await master.waitFor('generationReady', (event) => 'program' in event && event.program === program);
  return {
    ...process.env,
    PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    XDG_RUNTIME_DIR: master.runtime,
    HOME: folder,
    PWD: folder,
    TERM: 'dumb',
    LC_ALL: 'C',
  };
}

/** Each line with all completions of its last word in place of that word, as the shell inserts them. */
async function completed(
  shell: Shell,
  lines: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const folder = env['HOME'] ?? '';
  if (shell === 'fish') {
    const script = [
      'gracefulctl completion fish | source; graceful-run completion fish | source',
      ...lines.map((line) => `complete -C '${line}'; echo`),
    ].join('\n');
    const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
      env,
      cwd: folder,
      encoding: 'utf8',
    });
    const found = stdout.split('\n\n').map((block) =>
      block
        .trim()
        .split('\n')
        .map((one) => one.split('\t')[0])
        .join(' '),
    );
    return lines.map((line, at) => line.slice(0, line.lastIndexOf(' ') + 1) + (found[at] ?? ''));
  }
  const result = join(folder, 'line');
  const begin: Readonly<Record<'bash' | 'zsh', readonly string[]>> = {
    bash: [
      `[ -e ${bashCompletion} ] && source ${bashCompletion}`,
      'source <(gracefulctl completion bash); source <(graceful-run completion bash)',
      `save() { printf %s "$READLINE_LINE" > ${result}.new; mv ${result}.new ${result}; READLINE_LINE=; }`,
      `bind -x '"\\C-g": save'; bind '"\\C-t": insert-completions'; : > ${result}`,
    ],
    zsh: [
      'autoload -Uz compinit && compinit -u -D',
      'source <(gracefulctl completion zsh); source <(graceful-run completion zsh)',
      'insert_all() { compstate[insert]=all; compstate[list]=; }; all() { comppostfuncs=(insert_all); _main_complete; }',
      'zle -C all-matches complete-word all',
      `save() { print -rn -- "$BUFFER" > ${result}.new; mv ${result}.new ${result}; BUFFER=; }; zle -N save`,
      `bindkey '^G' save; bindkey '^T' all-matches; : > ${result}`,
    ],
  };
  const start = shell === 'bash' ? 'bash --norc --noprofile -i' : 'zsh -f -i';
  const child = spawn('script', ['--quiet', '--return', '--command', start, '/dev/null'], {
    env,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  const take = async (): Promise<string> => {
    await eventually(`${shell} has written the line`, () => existsSync(result), 15_000);
    return readFileSync(result, 'utf8');
  };
  try {
    child.stdin.write(`${begin[shell].join('\n')}\n`);
    await take();
    const found: string[] = [];
    for (const line of lines) {
      spawnSync('rm', [result]);
      child.stdin.write(`${line}\x14\x07`);
      found.push((await take()).trim());
    }
    return found;
  } finally {
    child.stdin.end('exit\n');
    child.kill();
    await exited;
  }
}

const everywhere = [
  ['gracefulctl rel', 'gracefulctl reload'],
  ['gracefulctl reload s', 'gracefulctl reload search shop'],
  ['gracefulctl reload sh', 'gracefulctl reload shop'],
  ['gracefulctl reload shop s', 'gracefulctl reload shop search'],
  ['gracefulctl shutdown ', 'gracefulctl shutdown platform'],
  ['gracefulctl upgrade ', 'gracefulctl upgrade platform'],
  ['gracefulctl reload --wait=s', 'gracefulctl reload --wait=serving --wait=settled'],
  ['gracefulctl reload --wait=d', 'gracefulctl reload --wait=drained'],
  ['gracefulctl update --d', 'gracefulctl update --dry-run'],
  ['gracefulctl completion z', 'gracefulctl completion zsh'],
  ['graceful-run --log-l', 'graceful-run --log-level'],
  ['graceful-run --log-level=d', 'graceful-run --log-level=debug'],
  ['graceful-run --log-level deb', 'graceful-run --log-level debug'],
  ['graceful-run --no-mi', 'graceful-run --no-migrate'],
  ['graceful-run --port 80 --cwd rel', 'graceful-run --port 80 --cwd releases/'],
  ['graceful-run -c plat', 'graceful-run -c platform.toml'],
] as const;

test.each(shells)(
  '%s completes commands, options, values, paths and the names of what runs',
  async (shell) => {
    if (!has(shell) || !has('script')) {
      expect(isRequired).toBe(false);
      return;
    }
    const env = await installed();
    const lines = everywhere.map(([typed]) => typed);
    const found = await completed(shell, lines, env);
    // Which of several comes first is the shell's business; when bash inserts several, it repeats only what stands behind the `=`.
    expect(found.map(sorted)).toEqual(everywhere.map(([, wanted]) => sorted(wanted)));
  },
);

/** The words of a line, in one order for all shells. */
function sorted(line: string): string {
  const words = line.split(' ').map((word) => word.replace(/^--wait=|\/$/, ''));
  return [...new Set(words)].sort().join(' ');
}

test.each(shells)(
  'behind the options, %s completes the command of graceful-run as it does without it',
  async (shell) => {
    if (!has(shell) || !has('script')) {
      expect(isRequired).toBe(false);
      return;
    }
    const env = await installed();
    const lines = ['graceful-run --port 80 -- gracefulc', 'graceful-run --port 80 -- gracefulctl rel'];
    expect(await completed(shell, lines, env)).toEqual([
      'graceful-run --port 80 -- gracefulctl',
      'graceful-run --port 80 -- gracefulctl reload',
    ]);
  },
);
