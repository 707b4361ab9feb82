// `npm start`: hello.js behind graceful-run on port 10086, and what to try next.
import { spawn } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
const master = spawn(
  process.execPath,
  [`${root}bin/graceful-run.cjs`, '--port', '10086', '--name', 'hello', '--', 'node', 'examples/hello.js'],
  { cwd: root, stdio: 'inherit' },
);

console.log(`
  Starting examples/hello.js behind graceful-run on port 10086. When it serves, try in another terminal:

    curl localhost:10086                         ask it
    edit examples/hello.js                       change the greeting
    kill -HUP ${String(master.pid).padEnd(34)} reload: no request is lost
    curl localhost:10086                         the new generation answers
    node bin/gracefulctl.js status               who serves, since when
    node bin/gracefulctl.js reload --wait        reload, and know that it serves

  Break it (throw an error at the top of hello.js) and reload: the old one serves on. Ctrl-C ends.
`);

// The terminal gives Ctrl-C to the master as well: passed on, it would be the second one, which stops at once.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => master.kill('SIGTERM'));
master.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
