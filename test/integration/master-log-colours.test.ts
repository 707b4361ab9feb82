// The log on a terminal: for people, with colours unless they are not wanted. script(1) of util-linux gives the master a terminal.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { app, runMaster, type RunningMaster, temporaryFolder } from '../helpers/run-master.ts';
import { mayRun } from '../helpers/required-programs.ts';

const hasScript = process.platform === 'linux' && existsSync('/usr/bin/script');
/** `redirection`: of what is not to be the terminal. */
const onTerminal = (redirection = ''): readonly string[] => [
  'sh',
  '-c',
  `exec script --quiet --return --flush --command "exec $* ${redirection}" /dev/null`,
  'sh',
];
const through = onTerminal();
const flags = ['--log-format', 'pretty'];
const command = [process.execPath, '-e', 'throw\\ new\\ TypeError\\(1\\)'];
const colours = { TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined };

const escape = '\u001B';

/** All that a master whose first start fails has written, when it has ended. */
async function written(master: RunningMaster): Promise<string> {
  await master.closed;
  return master.output;
}

test.runIf(mayRun(hasScript))(
  'on a terminal the level, the state and the line that names the error are coloured',
  async () => {
    const text = await written(runMaster({ through, flags, command, env: colours }));
    expect(text).toContain(`${escape}[31mERROR${escape}[39m`);
    expect(text).toMatch(/generation 1 .*\[31mfailed/);
    // The worker's own line, behind its program and pid.
    expect(text).toMatch(/\[\d+\] \|\S* \S*\[31mTypeError: 1/);
    expect(text).toContain('before it was ready: TypeError: 1');
  },
);

test.runIf(mayRun(hasScript))('NO_COLOR and a terminal without colours are respected', async () => {
  for (const env of [
    { ...colours, NO_COLOR: '1' },
    { ...colours, TERM: 'dumb' },
  ]) {
    const text = await written(runMaster({ through, flags, command, env }));
    expect(text).toContain('TypeError: 1');
    expect(text).not.toContain(escape);
  }
});

/** What a master with a name writes whose program writes a line to each stream and ends: to the terminal, and to the file `redirected` is sent to. */
async function bothStreams(redirected: 1 | 2): Promise<{ terminal: string; file: string }> {
  const path = join(temporaryFolder(), 'out');
  const master = runMaster({
    through: onTerminal(`${redirected}>${path}`),
    hasOwnFlags: false,
    flags: ['--port', '0', '--name', 'shop', '--stdout-logfile', 'forward'],
    command: [process.execPath, '-e', 'console.log\\(/out/\\)\\;console.error\\(/err/\\)'],
    env: colours,
  });
  const terminal = await written(master);
  return { terminal, file: readFileSync(path, 'utf8') };
}

test.runIf(mayRun(hasScript))(
  'a stdout that is a pipe or file gets the lines as they are, also if stderr is a terminal',
  async () => {
    const { terminal, file } = await bothStreams(1);
    expect(file).toBe('/out/\n');
    expect(terminal).toMatch(/^\S+shop\[\d+\] \|\S* \/err\/\r$/m);
  },
);

test.runIf(mayRun(hasScript))(
  'a stdout that is a terminal has the look of one, also if stderr is a file',
  async () => {
    const { terminal, file } = await bothStreams(2);
    expect(terminal).toMatch(
      new RegExp(String.raw`^${escape}\[2mshop\[\d+\] \|${escape}\[22m /out/\r$`, 'm'),
    );
    const lines = file.split('\n');
    expect(lines).toContain('/err/');
    expect(lines[0]).toMatch(/^\{.*\}$/);
    expect(file).not.toContain(escape);
  },
);

test('what is no terminal gets no colours, not even those of a worker', async () => {
  const master = runMaster({ flags, command: app('logs-headers'), env: colours });
  await eventually('it serves', () => master.output.includes('serves'));
  const { listeners } = await master.status();
  const [{ port } = { port: 0 }] = listeners;
  await fetch(`http://127.0.0.1:${port}/`, {
    headers: { 'x-log': encodeURIComponent(`${escape}[31mred`), connection: 'close' },
  });
  await eventually('it is logged', () => /^\S+\[\d+\] \| red$/m.test(master.output));
  expect(master.output).not.toContain(escape);
});
