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
// LISTEN_FDS cannot be used here: a program that is told of its descriptors in its own way does not have it.
const listeners = Number(environment['EINHORN_FD_COUNT'] ?? 0);
const channel = 3 + listeners;
if (process.channel != null) {
  // Node.js removes these two from its environment when it opens its own end of the channel.
  environment['NODE_CHANNEL_FD'] = String(channel);
  environment['NODE_CHANNEL_SERIALIZATION_MODE'] = 'json';
}
// At its start, Node.js marks all inherited descriptors as close-on-exec, and ignores SIGPIPE, which would survive exec.
for (let fd = 0; fd <= channel; fd++) fcntl(fd, setDescriptorFlags, 'int', 0);
const readyFd = environment['GRACEFUL_RUN_READY_FD'];
if (readyFd !== undefined) fcntl(Number(readyFd), setDescriptorFlags, 'int', 0);
signal(brokenPipe, null);
const umask = umaskOf(process.env);
if (umask !== null) process.umask(umask);
const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
execve(file, [file, ...args, null], [...variables, null]);
// The file exists and is executable: that was checked before this process was started.
process.stderr.write(`graceful-run: cannot run ${file}: execve(2) failed with error ${koffi.errno()}\n`);
process.exit(126);
