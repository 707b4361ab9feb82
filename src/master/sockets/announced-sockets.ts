/** The descriptors that the environment announces as sockets, by sd_listen_fds(3) and Server::Starter. Pure. */

export interface AnnouncedSocket {
  readonly fd: number;
  /** The name that the protocol gives the socket, or null if it gives none. */
  readonly name: string | null;
}

/** The first descriptor of sd_listen_fds(3): SD_LISTEN_FDS_START. */
const firstFd = 3;

/** How many sockets may be announced. No process has more, so a larger number is invalid. */
const maxSockets = 1_024;

/** The sockets that are announced. Those of sd_listen_fds(3) count only if they are meant for this process, `pid`. */
export function announcedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly AnnouncedSocket[] {
  const ofSystemd = environment['LISTEN_PID'] === String(pid) ? systemd(environment) : [];
  return ofSystemd.length > 0 ? ofSystemd : serverStarter(environment['SERVER_STARTER_PORT'] ?? '');
}

function systemd(environment: Readonly<Record<string, string | undefined>>): readonly AnnouncedSocket[] {
  const count = Number(environment['LISTEN_FDS'] ?? '');
  if (!Number.isInteger(count) || count < 1 || count > maxSockets) return [];
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: count }, (_, at) => {
    const name = names[at] ?? '';
    // `unknown` means that the unit has not named the socket.
    return { fd: firstFd + at, name: name === '' || name === 'unknown' ? null : name };
  });
}

/** Parses `host:port=fd`, `port=fd` and `/path=fd`, joined by semicolons. */
function serverStarter(text: string): readonly AnnouncedSocket[] {
  const fds = text.split(';').flatMap((entry) => {
    const [, fd] = /^.+=(\d{1,7})$/.exec(entry) ?? [];
    return fd === undefined ? [] : [Number(fd)];
  });
  return [...new Set(fds)].map((fd) => ({ fd, name: null }));
}
