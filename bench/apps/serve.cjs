// The application without code for any tool: for graceful-run, for Node.js alone, and as the backend of the proxies.
const { createWork } = require('./work.cjs');

createWork().listen(Number(process.env.PORT), '127.0.0.1');
