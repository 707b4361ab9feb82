/** The system calls that replace the program of this process. Linux only. */
import { systemErrorCode } from './errno.ts';

interface ExecCalls {
  readonly execve: (
    file: string,
    args: readonly (string | null)[],
    environment: readonly (string | null)[],
  ) => number;
  readonly fcntl: (fd: number, command: number, type: 'int', argument: number) => number;
  readonly memfd: (name: string, flags: number) => number;
  readonly errno: () => number;
}

let calls: ExecCalls | null = null;

/** Has to be called before everything else here. */
export async function loadExecCalls(): Promise<void> {
  if (calls !== null) return;
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const execve: ExecCalls['execve'] = library.func('int execve(const char *, const char **, const char **)');
  const fcntl: ExecCalls['fcntl'] = library.func('int fcntl(int, int, ...)');
  const memfd: ExecCalls['memfd'] = library.func('int memfd_create(const char *, unsigned int)');
  calls = { execve, fcntl, memfd, errno: () => koffi.errno() };
}

/** execve(2): runs another program in this process. Returns only if that fails: the name of the error. */
export function execute(file: string, args: readonly string[], environment: NodeJS.ProcessEnv): string {
  if (calls === null) return 'ENOSYS';
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value ?? ''}`);
  calls.execve(file, [...args, null], [...variables, null]);
  return systemErrorCode(calls.errno());
}

const setDescriptorFlags = 2;
const closeOnExec = 1;

/** fcntl(2): decides whether the descriptor stays open in the program that execve(2) runs. */
export function keepThroughExec(fd: number, isKept: boolean): void {
  calls?.fcntl(fd, setDescriptorFlags, 'int', isKept ? 0 : closeOnExec);
}

/** memfd_create(2): a file in memory, which ends with its last descriptor. Returns the descriptor, or the name of the error. */
export function openMemory(name: string): number | string {
  if (calls === null) return 'ENOSYS';
  const fd = calls.memfd(name, closeOnExec);
  return fd === -1 ? systemErrorCode(calls.errno()) : fd;
}
