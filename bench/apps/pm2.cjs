// The work as pm2's guide to graceful reloads has it: `ready` when it listens, and on SIGINT it closes, then exits.
const { closeGracefully, createWork } = require('./work.cjs');

const server = createWork();
server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('ready'));
process.on('SIGINT', () => closeGracefully(server, () => process.exit(0)));
