// The command starts processes by posix_spawn(3), and they get what Node.js would give them. Linux only.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { whoAnswers } from '../helpers/plain-client.ts';
import { canRun } from '../helpers/required-programs.ts';
import { startHost } from '../helpers/run-host.ts';
import { appPath, runMaster, temporaryFolder } from '../helpers/run-master.ts';

/** Prints which signals it blocks and ignores, whether it leads its session, its working directory, its stdin and LC_TEST. */
const report = `
grep -E '^Sig(Blk|Ign)' /proc/self/status
set -- $(cat /proc/$$/stat)
[ "$5/$6" = "$$/$$" ] && echo leads a session
pwd
readlink /proc/$$/fd/0
echo "$LC_TEST"
`;

/** Signals 32 and 33 are the C library's own: it ignores them in processes that posix_spawn has started, until it needs them. */
function withoutOwnSignals(text: string): string {
  return text.replaceAll(/[0-9a-f]{16}/g, (mask) => String(BigInt(`0x${mask}`) & ~(3n << 31n)));
}

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('a process gets the signals, session, folder, stdin and environment that Node.js would give it', async () => {
    const script = join(temporaryFolder(), 'report');
    writeFileSync(script, report);
    const { folder, master } = startHost(
      `[program.job]\ntype = "oneshot"\ncommand = ["/bin/sh", "${script}"]\nstdout_logfile = "told"\nenvironment = { LC_TEST = "ä = b" }\n`,
    );
    await master.waitFor('workerExited');
    const child = spawn('/bin/sh', [script], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_TEST: 'ä = b' },
    });
    const chunks: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
    await once(child, 'close');
    const told = withoutOwnSignals(readFileSync(join(folder, 'told'), 'utf8'));
    expect(told).toContain('leads a session');
    expect(told).toBe(withoutOwnSignals(chunks.join('')));
  });

  test('an end by a real-time signal, which has no name in Node.js, is that of a failed program', async () => {
    const master = runMaster();
    await master.serving();
    const pid = await master.workerPid(1);
    process.kill(pid, 40);
    const { failure } = await master.waitFor('workerFailed', { pid });
    expect(failure.outcome).toEqual({ code: 168, signal: null });
  });

  test('a script whose first line names no interpreter is run by the shell', async () => {
    const script = join(temporaryFolder(), 'server');
    writeFileSync(script, `exec '${process.execPath}' '${appPath('serves')}'\n`);
    chmodSync(script, 0o755);
    const master = runMaster({ command: [script] });
    const { generation } = await whoAnswers(await master.serving());
    expect(generation).toBe(1);
  });

  test.skipIf(!canRun(['strace']))('a worker is started without a copy of the master', async () => {
    const trace = join(temporaryFolder(), 'trace');
    // -D: strace runs as a grandchild, so that the test's child is the master itself.
    const through = ['strace', '-D', '-f', '-qq', '-e', 'trace=clone,clone3,fork,vfork', '-o', trace];
    const master = runMaster({ through });
    await master.serving();
    await master.reload(2);
    const workers = await Promise.all([1, 2].map((generation) => master.workerPid(generation)));
    master.signal('SIGTERM');
    await master.exited;
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`${master.pid} `));
    for (const worker of workers) {
      // strace splits the call into two lines if the worker makes system calls before it returns.
      const result = calls.findIndex((line) => line.endsWith(`= ${worker}`));
      const call = calls.slice(0, result + 1).findLast((line) => /clone3?\(/.test(line));
      expect(call).toContain('CLONE_VFORK');
    }
  });
});
