// The application for a process manager without a protocol of its own: on SIGTERM it closes its server, then exits.
const { closeGracefully, createWork } = require('./work.cjs');

const server = createWork();
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => closeGracefully(server, () => process.exit(0)));
