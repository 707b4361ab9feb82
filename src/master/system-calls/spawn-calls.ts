/**
 * posix_spawn(3): starts a process without copying this one. Node.js forks, and then the kernel copies the page tables of this process, and also each page
 * that this process changes before the new program runs (docs/adr/0051). Linux only: on macOS, libuv uses posix_spawn itself.
 */
import { loadLibrary, type Library } from './c-library.ts';
import { systemErrorCode } from './errno.ts';

type AddDup2 = (actions: Uint8Array, from: number, to: number) => number;

interface SpawnCalls {
  readonly spawn: (
    pid: number[],
    file: string,
    actions: Uint8Array,
    attributes: Uint8Array,
    args: readonly (string | null)[],
    environment: readonly (string | null)[],
  ) => number;
  readonly beginActions: (actions: Uint8Array) => number;
  readonly endActions: (actions: Uint8Array) => number;
  readonly copyDescriptor: AddDup2;
  readonly open: (actions: Uint8Array, fd: number, path: string, flags: number, mode: number) => number;
  readonly changeFolder: (actions: Uint8Array, path: string) => number;
  /** The posix_spawnattr_t, shared by all starts. */
  readonly attributes: Uint8Array;
}

let calls: SpawnCalls | null = null;

/** Bigger than posix_spawnattr_t and posix_spawn_file_actions_t of glibc (336 and 80 bytes) and musl. */
const roomForStructure = 1_024;

/**
 * Loads the calls, unless one is missing (glibc before 2.29, musl before 1.1.24). To be called only by a process that reaps its children itself, because Node.js
 * does not reap those of spawnProcess().
 */
export async function loadSpawnCalls(): Promise<void> {
  if (process.platform !== 'linux') return;
  const library = await loadLibrary();
  try {
    calls ??= {
      spawn: library.func(
        'int posix_spawn(_Out_ int *, const char *, void *, void *, const char **, const char **)',
      ),
      beginActions: library.func('int posix_spawn_file_actions_init(void *)'),
      endActions: library.func('int posix_spawn_file_actions_destroy(void *)'),
      copyDescriptor: library.func('int posix_spawn_file_actions_adddup2(void *, int, int)'),
      open: library.func(
        'int posix_spawn_file_actions_addopen(void *, int, const char *, int, unsigned int)',
      ),
      changeFolder: library.func('int posix_spawn_file_actions_addchdir_np(void *, const char *)'),
      attributes: makeAttributes(library),
    };
  } catch {
    calls = null;
  }
}

/** Whether the calls are loaded. Otherwise, spawnProcess() returns ENOSYS. */
export function canSpawn(): boolean {
  return calls !== null;
}

// POSIX_SPAWN_SETSIGDEF, POSIX_SPAWN_SETSIGMASK and POSIX_SPAWN_SETSID of glibc and musl.
const [withDefaultSignals, withSignalMask, inNewSession] = [0x04, 0x08, 0x80];

/** New session, no blocked signal, default action for every signal: the child must not inherit what Node.js has set for this process. */
function makeAttributes(library: Library): Uint8Array {
  const attributes = Buffer.alloc(roomForStructure);
  const signals = Buffer.alloc(roomForStructure);
  library.func('int posix_spawnattr_init(void *)')(attributes);
  library.func('int posix_spawnattr_setflags(void *, short)')(
    attributes,
    withDefaultSignals | withSignalMask | inNewSession,
  );
  library.func('int sigemptyset(void *)')(signals);
  library.func('int posix_spawnattr_setsigmask(void *, const void *)')(attributes, signals);
  library.func('int sigfillset(void *)')(signals);
  library.func('int posix_spawnattr_setsigdefault(void *, const void *)')(attributes, signals);
  return attributes;
}

export interface NewProcess {
  /** The path of the program. It is not searched for in PATH. */
  readonly file: string;
  /** Without the first one, which is the file. */
  readonly args: readonly string[];
  /** `NAME=VALUE` each. */
  readonly environment: readonly string[];
  readonly cwd: string;
  /**
   * What the process gets as descriptors 0, 1, 2 …: copies of those of this process. Number n must be n itself, which then stays open on exec, or at least the
   * length of the list, so that no copy overwrites it. `null`: /dev/null. `undefined`: none.
   */
  readonly descriptors: readonly (number | null | undefined)[];
}

const readOnly = 0;
const readWrite = 2;

/** Starts the process as the leader of a new session. Returns its pid, or the name of the error (`ENOENT` …). Its parent has to reap it: waitpid(2). */
export function spawnProcess({ file, args, environment, cwd, descriptors }: NewProcess): number | string {
  if (calls === null) return 'ENOSYS';
  const actions = Buffer.alloc(roomForStructure);
  let error = calls.beginActions(actions);
  if (error !== 0) return systemErrorCode(error);
  const pid = [0];
  try {
    error = calls.changeFolder(actions, cwd);
    for (const [to, from] of descriptors.entries()) {
      if (error !== 0 || from === undefined) continue;
      error =
        from === null
          ? calls.open(actions, to, '/dev/null', to === 0 ? readOnly : readWrite, 0)
          : calls.copyDescriptor(actions, from, to);
    }
    if (error === 0)
      error = calls.spawn(
        pid,
        file,
        actions,
        calls.attributes,
        [file, ...args, null],
        [...environment, null],
      );
  } finally {
    calls.endActions(actions);
  }
  return error === 0 ? (pid[0] ?? 0) : systemErrorCode(error);
}
