// The application as in the documentation of node:cluster: on the message `shutdown` it closes its server, then exits.
const { closeGracefully, createWork } = require('./work.cjs');

const server = createWork();
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('message', (message) => {
  if (message === 'shutdown') closeGracefully(server, () => process.exit(0));
});
