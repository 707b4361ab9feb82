// The usual recipe for reloads with node:cluster: on SIGHUP, fork a new worker for each old one, wait until it listens, tell the old one to
// shut down, disconnect it, and kill it if it still runs after 10 s. A worker that dies is replaced. Arguments: the worker's file and the
// number of workers.
const cluster = require('node:cluster');

const [, , exec, count] = process.argv;
const killAfterMs = 10_000;
const retired = new WeakSet();
let isStopping = false;

cluster.setupPrimary({ exec });

const forkAndWait = () => new Promise((resolve) => cluster.fork().once('listening', resolve));

function retire(worker) {
  retired.add(worker);
  worker.send('shutdown');
  worker.disconnect();
  const patience = setTimeout(() => worker.process.kill('SIGKILL'), killAfterMs);
  worker.once('exit', () => clearTimeout(patience));
}

async function reload() {
  const old = Object.values(cluster.workers).filter((worker) => !retired.has(worker));
  for (const worker of old) {
    await forkAndWait();
    if (worker.isConnected()) retire(worker);
  }
  process.send?.('reloaded');
}

cluster.on('exit', (worker) => {
  if (!isStopping && !retired.has(worker)) cluster.fork();
});

let reloads = Promise.resolve();
process.on('SIGHUP', () => (reloads = reloads.then(reload)));
process.on('SIGTERM', () => {
  isStopping = true;
  for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL');
  process.exit(0);
});

void Promise.all(Array.from({ length: Number(count) }, forkAndWait)).then(() => process.send?.('serving'));
