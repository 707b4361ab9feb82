// The application as in pm2's guide to graceful reloads: sends `ready` when it listens; on SIGINT it closes its server, then exits.
const { closeGracefully, createWork } = require('./work.cjs');

const server = createWork();
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('ready'));
process.on('SIGINT', () => closeGracefully(server, () => process.exit(0)));
