/** The system calls that replace the program of this process. Linux only. */
import { lastError, loadLibrary } from './c-library.ts';

interface ExecCalls {
  readonly execve: (
    file: string,
    args: readonly (string | null)[],
    environment: readonly (string | null)[],
  ) => number;
  readonly memfd: (name: string, flags: number) => number;
}

let calls: ExecCalls | null = null;

/** Has to be called before everything else here. */
export async function loadExecCalls(): Promise<void> {
  if (calls !== null) return;
  const library = await loadLibrary();
  const execve: ExecCalls['execve'] = library.func('int execve(const char *, const char **, const char **)');
  const memfd: ExecCalls['memfd'] = library.func('int memfd_create(const char *, unsigned int)');
  calls = { execve, memfd };
}

/** execve(2): runs another program in this process. Returns only if that fails: the name of the error. */
export function execute(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): string {
  if (calls === null) return 'ENOSYS';
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value ?? ''}`);
  calls.execve(file, [...args, null], [...variables, null]);
  return lastError();
}

const closedOnExec = 1;

/** memfd_create(2): a file in memory, which ends with its last descriptor. Returns the descriptor, or the name of the error. */
export function openMemory(name: string): number | string {
  if (calls === null) return 'ENOSYS';
  const fd = calls.memfd(name, closedOnExec);
  return fd === -1 ? lastError() : fd;
}
