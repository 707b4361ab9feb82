// The application as in naught's README: sends `online` when it listens; on `shutdown` it closes its server, then exits.
const { closeGracefully, createWork } = require('./work.cjs');

const server = createWork();
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('online'));
process.on('message', (message) => {
  if (message === 'shutdown') closeGracefully(server, () => process.exit(0));
});
