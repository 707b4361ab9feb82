/** Who listens on a port, as /proc tells it: for the message at 3 a.m. Linux only; elsewhere nobody is found. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface AddressHolder {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly command: string;
}

const listenState = '0A';

/** A process that listens on TCP `port`, or null: nobody, or a process of another user. */
export function findAddressHolder(port: number): AddressHolder | null {
  const sockets = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6']
      .flatMap((path) => listeningInodes(read(path), port))
      .map((inode) => `socket:[${inode}]`),
  );
  if (sockets.size === 0) return null;
  const pid = list('/proc').find(
    (entry) =>
      /^\d+$/.test(entry) &&
      list(`/proc/${entry}/fd`).some((fd) => sockets.has(link(`/proc/${entry}/fd/${fd}`))),
  );
  if (pid === undefined) return null;
  const command = read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
  return { pid: Number(pid), command: command.length > 60 ? `${command.slice(0, 57)}...` : command };
}

/** The socket inodes that listen on `port` in the text of /proc/net/tcp (proc(5)). */
export function listeningInodes(table: string, port: number): readonly string[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      const localPort = local?.split(':')[1];
      if (localPort === undefined || inode === undefined || state !== listenState) return [];
      return Number.parseInt(localPort, 16) === port ? [inode] : [];
    });
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // Gone meanwhile, or not ours to look into.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
