// `npm start`: starts hello.js under graceful-run on port 10086, and prints what to try next.
import { spawn } from 'node:child_process';

const root = new URL('..', import.meta.url).pathname;
const master = spawn(
  process.execPath,
  [`${root}bin/graceful-run.cjs`, '--port', '10086', '--name', 'hello', '--', 'node', 'examples/hello.js'],
  { cwd: root, stdio: 'inherit' },
);

console.log(`
  Starting examples/hello.js under graceful-run on port 10086. Once it serves, try in another terminal:

    curl localhost:10086                         send a request
    edit examples/hello.js                       change the greeting
    kill -HUP ${String(master.pid).padEnd(34)} reload: no request fails
    curl localhost:10086                         the new generation responds
    node bin/gracefulctl.cjs status               show the workers and their states
    node bin/gracefulctl.cjs reload --wait        reload, and wait until the new generation serves

  Break it (throw an error at the top of hello.js) and reload: the old generation keeps serving. Ctrl-C stops it.
`);

// The terminal sends Ctrl-C to the master too. Forwarding it would be a second signal, which stops at once.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => master.kill('SIGTERM'));
master.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
