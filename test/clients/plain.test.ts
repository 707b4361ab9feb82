// Plain servers of every kind that Node.js has, behind the built command.
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { fixture, node } from './fixture.ts';
import { startHttp2Load } from './http2-client.ts';
import { startLineLoad } from './line-client.ts';
import { expectNoFailure, httpLoads, watchGenerations } from './reload-under-load.ts';

test('a server in CommonJS reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('http.cjs') });
});

test('two workers at once reload under load without a failure', async () => {
  await expectNoFailure({ command: node('http.cjs'), flags: ['--workers', '2'] });
});

test('a server in an ES module reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('http.mjs') });
});

test('a server in TypeScript reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('http.ts', '--import', 'tsx') });
});

test('an https server reloads under load without a failure', async () => {
  const env = { TLS_CERT: fixture('cert.pem'), TLS_KEY: fixture('key.pem') };
  const certificate = readFileSync(env.TLS_CERT, 'utf8');
  await expectNoFailure({ command: node('https.mjs'), env }, (port) => httpLoads(port, { certificate }));
});

test('an http2 server reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('http2.mjs') }, (port) => {
    const seen = watchGenerations();
    const load = startHttp2Load({ port, clients: 4, problemOf: seen.problemOf, answered: seen.note });
    return [{ load, youngest: seen.youngest }];
  });
});

test('a server that speaks no HTTP reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('line-echo.cjs') }, (port) => [
    { load: startLineLoad({ port, clients: 4, linesPerConnection: 5 }), youngest: () => null },
  ]);
});
