// The work as the documentation of node:cluster has it: it closes its server when it hears `shutdown`, then exits.
const { closeGracefully, createWork } = require('./work.cjs');

const server = createWork();
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('message', (message) => {
  if (message === 'shutdown') closeGracefully(server, () => process.exit(0));
});
