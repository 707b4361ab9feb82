// A server as anybody writes it: nothing in here knows graceful-run.
import { createServer } from 'node:http';

const greeting = 'Hello from';

const server = createServer((request, response) => {
  response.end(`${greeting} generation ${process.env.GRACEFUL_RUN_GENERATION ?? '-'} (pid ${process.pid})\n`);
});
server.listen(10086);
