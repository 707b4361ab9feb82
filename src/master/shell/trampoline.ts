/**
 * LISTEN_PID has to be the worker's own pid, which nobody knows before the fork: a shell sets it and then becomes
 * the program by exec, with the same pid. Pure.
 */

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The command that sets LISTEN_PID and becomes `command`. Variables whose names a shell cannot hold (`my.var`; dash
 * drops them) travel on the command line of env(1), which is gone with the exec.
 */
export function withListenPid(command: Command, environment: Readonly<Record<string, string>>): Command {
  const odd = Object.entries(environment)
    .filter(([name]) => !shellName.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const carried = odd.length === 0 ? [] : ['/usr/bin/env', ...odd];
  return {
    file: '/bin/sh',
    args: ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...carried, command.file, ...command.args],
  };
}
