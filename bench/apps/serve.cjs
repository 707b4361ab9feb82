// The work as it is, without a word about who runs it: for graceful-run, for Node.js alone, and behind the proxies.
const { createWork } = require('./work.cjs');

createWork().listen(Number(process.env.PORT), '127.0.0.1');
