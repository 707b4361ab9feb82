/** What a thread of a worker can know of the listeners: the environment names their ports, and whose they are. Pure but for that. */

/** The ports that the main thread of this process has inherited; none when this is no thread, or of another process. */
export function portsOfMainThread(environment: NodeJS.ProcessEnv): readonly number[] {
  // Descendants have the variable, too, and another pid.
  if (environment['LISTEN_PID'] !== String(process.pid)) return [];
  if (process.getBuiltinModule('node:worker_threads').isMainThread) return [];
  // `host:port=fd;host:port=fd`.
  return (environment['SERVER_STARTER_PORT'] ?? '').split(';').flatMap((entry) => {
    const [, port] = /:(\d+)=\d+$/.exec(entry) ?? [];
    return port === undefined ? [] : [Number(port)];
  });
}
