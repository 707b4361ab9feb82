// SIGHUP in a terminal: its end is told with the same signal as a reload is asked for.
import { existsSync } from 'node:fs';
import { setTimeout as passes } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { runMaster, type RunningMaster } from '../helpers/run-master.ts';

const isThere = process.platform === 'linux' && existsSync('/usr/bin/python3') && existsSync('/usr/bin/bash');

/**
 * A terminal with an interactive shell, in which the command is started as somebody would type it: `{}` stands for it. The master's
 * stderr is the test's. A line on stdin leaves the shell, and the terminal is closed.
 */
const terminal = `
import os, pty, shlex, sys, threading
os.dup2(2, 9)
shell, fd = pty.fork()
if shell == 0:
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-l", "-i"])
def read():
    try:
        while os.read(fd, 65536): pass
    except OSError: pass
threading.Thread(target=read, daemon=True).start()
os.write(fd, (sys.argv[1].replace("{}", shlex.join(sys.argv[2:])) + "\\n").encode())
sys.stdin.readline()
for _ in range(2):
    try: os.write(fd, b"exit\\n")
    except OSError: pass
os.waitpid(shell, 0)
os.close(fd)
`;
import { mayRun } from '../helpers/required-programs.ts';

function typed(line: string): RunningMaster {
  return runMaster({ through: ['python3', '-c', terminal, line] });
}

async function closeTerminal(master: RunningMaster): Promise<void> {
  master.child.stdin?.write('\n');
  await master.exited;
}

/** Longer than the end of a shell and its signal may be apart. */
const longAfterMs = 1_000;

test.runIf(mayRun(isThere)).each([
  ['disowned', '{} > /dev/null 2>&9 & disown'],
  ['in a session of its own', 'setsid {} > /dev/null 2>&9 &'],
  ['started with nohup', 'nohup {} > /dev/null 2>&9 & disown'],
])('a job that is %s serves on after its terminal, and a hangup reloads it', async (_, line) => {
  const master = typed(line);
  await master.serving();
  await closeTerminal(master);
  await passes(longAfterMs);
  expect(master.all('stopRequested')).toEqual([]);
  await master.reload(2);
});

test.runIf(mayRun(isThere))(
  'a shell that sends its jobs a hangup before its terminal closes stops the master',
  async () => {
    const master = typed('shopt -s huponexit; {} 2>&9 &');
    await master.serving();
    await closeTerminal(master);
    await eventually('nobody is left', () => master.processes().length === 0);
    await master.closed;
    expect(master.all('stopRequested')).toHaveLength(1);
    expect(master.all('reloadRequested')).toEqual([]);
  },
);

test.runIf(mayRun(isThere))('a hangup from kill(1) is a reload while the terminal is there', async () => {
  const master = typed('{} 2>&9 &');
  await master.serving();
  await master.reload(2);
  expect(master.all('stopRequested')).toEqual([]);
  await closeTerminal(master);
});
