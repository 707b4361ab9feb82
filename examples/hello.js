// An ordinary server, without the API of graceful-run. It shows its generation, which graceful-run sets in the environment.
import { createServer } from 'node:http';

const greeting = 'Hello from';

const server = createServer((request, response) => {
  response.end(`${greeting} generation ${process.env.GRACEFUL_RUN_GENERATION ?? '-'} (pid ${process.pid})\n`);
});
server.listen(10086);
