/**
 * The program that a worker's process runs first when a shell cannot hold its environment (trampoline.ts): it sets LISTEN_PID and
 * the umask, and becomes the command. Started as `node trampoline.cjs FILE ARGUMENTS…`.
 */
import koffi from 'koffi';
import { releasedEnvironment, umaskOf } from './trampoline.ts';

const [, , file = '', ...args] = process.argv;
const library = koffi.load(null);
const execve: (file: string, args: (string | null)[], environment: (string | null)[]) => number =
  library.func('int execve(const char *, const char **, const char **)');
const fcntl: (fd: number, command: number, type: 'int', argument: number) => number =
  library.func('int fcntl(int, int, ...)');
const signal: (number: number, handler: null) => unknown = library.func('void *signal(int, void *)');

const setDescriptorFlags = 2;
const brokenPipe = 13;

const environment = releasedEnvironment(process.env, process.pid);
// Not LISTEN_FDS: a program that is told of its descriptors in its own way has none.
const listeners = Number(environment['EINHORN_FD_COUNT'] ?? 0);
const channel = 3 + listeners;
if (process.channel != null) {
  // Node.js has taken these out when it opened its own end.
  environment['NODE_CHANNEL_FD'] = String(channel);
  environment['NODE_CHANNEL_SERIALIZATION_MODE'] = 'json';
}
// Node.js makes sure at its start that nothing it was given is inherited, and ignores SIGPIPE, which exec would keep.
for (let fd = 0; fd <= channel; fd++) fcntl(fd, setDescriptorFlags, 'int', 0);
const readyFd = environment['GRACEFUL_RUN_READY_FD'];
if (readyFd !== undefined) fcntl(Number(readyFd), setDescriptorFlags, 'int', 0);
signal(brokenPipe, null);
const umask = umaskOf(process.env);
if (umask !== null) process.umask(umask);
const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
execve(file, [file, ...args, null], [...variables, null]);
// It is there and executable, or it would not have come so far.
process.stderr.write(`graceful-run: cannot run ${file}: execve(2) failed with error ${koffi.errno()}\n`);
process.exit(126);
