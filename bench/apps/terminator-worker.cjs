// The application with http-terminator as in its README: on `shutdown`, terminate(), then exit.
const { createHttpTerminator } = require('http-terminator');
const { createWork } = require('./work.cjs');

const server = createWork();
const terminator = createHttpTerminator({ server, gracefulTerminationTimeout: 2_000 });
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('message', (message) => {
  if (message === 'shutdown') void terminator.terminate().then(() => process.exit(0));
});
