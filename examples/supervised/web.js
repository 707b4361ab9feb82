// Takes mails and puts each into the queue, a folder: POST /mails.
import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const { SPOOL = 'spool', PORT } = process.env;

const server = createServer(async (request, response) => {
  if (request.method === 'POST' && request.url === '/mails') {
    const name = join(SPOOL, randomUUID());
    // Written under another name first, so that a file that ends with .mail is always complete.
    await writeFile(`${name}.new`, await text(request));
    await rename(`${name}.new`, `${name}.mail`);
    console.log('queued a mail');
    response.statusCode = 202;
    response.end('queued\n');
  } else if (request.url === '/healthz') {
    response.end('ok\n');
  } else {
    response.statusCode = 404;
    response.end('POST /mails\n');
  }
});

server.listen(PORT);
