/** Problems while watching, in sentences for people. Pure. */
import { plainReason } from '../system-calls/plain-reasons.ts';

/** The problem of a path with something that cannot be read. */
export function unreadableProblem(path: string, code: string): string {
  return `cannot read ${path}: ${plainReason(code)}`;
}

/** The problem of a directory that cannot be watched. The limits are the same for every directory, so their sentences name none and are reported once. */
export function deafProblem(directory: string, code: string): string {
  if (code === 'ENOSPC')
    return 'cannot watch more directories: the limit fs.inotify.max_user_watches is reached (raise it with sysctl, or watch fewer directories)';
  if (code === 'EMFILE')
    return 'cannot watch: too many open files, or the limit fs.inotify.max_user_instances is reached (raise it with sysctl)';
  return `cannot watch ${directory}: ${plainReason(code)}`;
}

/** The problem of a path that is missing, such as a release that is switched to before it exists: the next reload or restart will not find it either. */
export function missingProblem(path: string): string {
  return `${path} is gone, or leads nowhere; what runs, runs on, and it is watched for its return`;
}
