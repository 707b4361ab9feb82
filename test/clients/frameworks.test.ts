// Frameworks, in programs written as their guides say, behind the built command.
import { test } from 'vitest';
import { node } from './fixture.ts';
import { expectNoFailure } from './reload-under-load.ts';

const everyAddress = ['--host', '0.0.0.0'];

test('express 5 reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('express.mjs') });
});

test('fastify 5, which listens on each address of localhost, reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('fastify.mjs'), flags: everyAddress });
});

test('fastify 5 on every address reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('fastify-host.mjs'), flags: everyAddress });
});

test('koa reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('koa.mjs') });
});

test('hono reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('hono.mjs') });
});

test('hapi reloads under load without a failure', async () => {
  await expectNoFailure({ command: node('hapi.mjs') });
});
